// Stream sets: independent sets of streams on one device. sppark's functions take its number where they speak of a GPU.
#pragma once

namespace haca {

constexpr int TRANSFORM_STREAMS = 0;
constexpr int G1_FIRST_STREAMS = 1;
constexpr int G1_SECOND_STREAMS = 2;
constexpr int G2_STREAMS = 3;
constexpr int STREAM_SET_COUNT = 4;

} // namespace haca
