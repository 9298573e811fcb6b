#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace ldm {

// What editing of pictures asks of mathematics.

// How many of n steps are walked for a strength in [0, 1], with the product in float64 (0.29 of 100 is 28),
// and where the walk begins.
//   ldm        noise to the level of index t_enc among the ascending timesteps, then t_enc steps, the first
//   of them
//              from one index lower: the original's img2img
//   diffusers  skip t_start steps, walk init_timestep
//   a1111      sigmas[n - t_enc - 1 ...], which are t_enc + 1 model steps
int64_t ldm_encode_steps(double strength, int64_t n);
int64_t diffusers_init_timestep(double strength, int64_t n);
int64_t diffusers_start_step(double strength, int64_t n);
int64_t a1111_encode_steps(double strength, int64_t n);

enum class StrengthRule { kDiffusers, kLdm, kA1111 };
// "diffusers", "ldm" or "a1111". Throws kUsage otherwise.
StrengthRule parse_strength_rule(std::string_view name);
std::string_view to_string(StrengthRule rule);

// The way from a noised picture: the picture gets noise of level `noised`, then the levels are walked; fewer
// than two of them: there is nothing to walk, and the picture stays as it is.
struct EditWalk {
  double noised = 0.0;
  std::vector<double> sigmas;

  int64_t steps() const { return sigmas.empty() ? 0 : static_cast<int64_t>(sigmas.size()) - 1; }
};
// By the rule, out of all levels of a run (steps + 1, descending). A strength of 0 walks no step under any
// rule (a1111 would walk one), and ldm's 1, where the original fails, walks all from the highest level.
EditWalk edit_walk(StrengthRule rule, double strength, const std::vector<double>& sigmas);
// The state clean + sigma noise with which the walk begins, from clean latents and unit noise [N, C, H, W].
// ldm noises to one level and begins at the next lower one with the same variance-preserving state. At an
// infinite level nothing of the picture is left: it is the noise.
torch::Tensor start_of_walk(const EditWalk& walk, const torch::Tensor& clean, const torch::Tensor& noise);

// A picture and a mask for the original's inpainting models, from values in [0, 1]: image [N, 3, H, W] and
// mask [N, 1, H, W], where 1 is to be painted, rounded to 0 or 1.
struct InpaintInputs {
  torch::Tensor image, mask, masked_image;  // All in [-1, 1]; masked_image is -1 in the hole.
};
InpaintInputs prepare_inpaint(const torch::Tensor& image, const torch::Tensor& mask);
// The mask at the size of the latents, by the nearest position from above.
torch::Tensor latent_mask(const torch::Tensor& mask, int64_t height, int64_t width);
// The known part of `image` (in [0, 1]) and the painted part of `decoded` (in [-1, 1]), in [0, 1].
torch::Tensor composite_inpaint(const torch::Tensor& image, const torch::Tensor& mask,
                                const torch::Tensor& decoded);

// Between two latents or starting noises of one shape, t in [0, 1].
torch::Tensor lerp(double t, const torch::Tensor& v0, const torch::Tensor& v1);
// Along the great circle through both as whole tensors; linear where their cosine exceeds the threshold
// (diffusers).
torch::Tensor slerp(double t, const torch::Tensor& v0, const torch::Tensor& v1,
                    double dot_threshold = 0.9995);
// As A1111 mixes subseeds: [C, H, W], each column along H on a circle of its own.
torch::Tensor slerp_a1111(double t, const torch::Tensor& v0, const torch::Tensor& v1);

}  // namespace ldm
