// The micro-kernels: each runs `rounds` rounds of independent multiply-adds and returns how many that were.
#pragma once

#include <cstdint>

namespace fye {

int64_t peak_f32_scalar(int64_t rounds);
int64_t peak_f32_portable(int64_t rounds);
int64_t peak_int16_portable(int64_t rounds);
int64_t peak_f32_avx2(int64_t rounds);
int64_t peak_int8_maddubs_avx2(int64_t rounds);
int64_t peak_int16_maddwd_avx2(int64_t rounds);
int64_t peak_int8_avx2vnni(int64_t rounds);
int64_t peak_f32_avx512(int64_t rounds);
int64_t peak_int8_avx512(int64_t rounds);
int64_t peak_bf16_avx512(int64_t rounds);
int64_t peak_int8_amx(int64_t rounds);
int64_t peak_bf16_amx(int64_t rounds);

}  // namespace fye
