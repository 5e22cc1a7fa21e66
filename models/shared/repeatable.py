"""Settings that make training repeatable. Import this before NumPy.

Training is sensitive to the last bit of every sum. Pinning one kernel set (AVX2) and one thread keeps the file
independent of wider vector units and core count; NumPy reads these when it loads.
"""

import os

os.environ["OPENBLAS_CORETYPE"] = "Haswell"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V4 AVX512_ICL AVX512_SPR"
