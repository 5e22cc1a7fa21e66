// Lanes: independent sets of streams on one device. sppark's functions take a lane's number where they speak of a GPU.
#pragma once

namespace haca {

constexpr int TRANSFORM_LANE = 0;
constexpr int G1_FIRST_LANE = 1;
constexpr int G1_SECOND_LANE = 2;
constexpr int G2_LANE = 3;
constexpr int LANE_COUNT = 4;

} // namespace haca
