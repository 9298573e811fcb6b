#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ldm {

// Integer timesteps out of 0..T-1, as the original and diffusers choose them.

// Timesteps of the original's DDIM, ascending, shifted by one as there. `uniform`: every (T / n)-th one,
// which is not always n of them (n = 400 gives 500) and contains T, where the original raises, for some n;
// `quad`: denser near 0, with repetitions where n is large. Throws kUsage for another method.
std::vector<int64_t> timesteps_original(std::string_view method, int64_t n, int64_t timesteps);

// Exactly n distinct timesteps, ascending, for any n in 1..T: the original's where it gives n of them.
// Throws kUsage for n outside.
std::vector<int64_t> timesteps_uniform(int64_t n, int64_t timesteps);
std::vector<int64_t> timesteps_quad(int64_t n, int64_t timesteps);

// As diffusers spaces them ("linspace", "leading", "trailing"), descending. `offset` is added to leading
// ones. Throws kUsage for another name or n outside 1..T.
std::vector<int64_t> timesteps_diffusers(std::string_view spacing, int64_t n, int64_t timesteps,
                                         int64_t offset = 0);

// Latent consistency models (LCM, TCD): n of the `trained` equally spaced timesteps that the distillation
// used, descending. Throws kUsage unless 1 <= n <= trained <= timesteps.
std::vector<int64_t> timesteps_lcm(int64_t n, int64_t timesteps, int64_t trained = 50);

}  // namespace ldm
