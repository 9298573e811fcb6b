#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "ldm/config/node.h"
#include "ldm/core/error.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/model/model_file.h"

namespace ldm {

// The smallest vocabulary that knows "red", "blue" and "disc".
std::string tiny_vocabulary();

// The whole YAML of a first stage (KL, patches of 4 pixels, 4 channels) and of a diffusion model on 4x4
// latents. condition: "text", "text-adm", "text-inpaint" (a picture and a mask as well), "class" (three, 2 is
// the null class), "class-only" (three, no null), "picture" (of the latents' size), "small-picture" (the same
// in RGB), "reference" (a picture's latents), "inpaint" (a picture and a mask alone), "map" (of three labels,
// four pixels a latent), "layout" (two objects and a crop, 50 tokens), "neighbours" (of 32 numbers) or
// "none".
Node tiny_first_stage_config();
Node tiny_diffusion_config(const std::string& condition);

// The same built, with weights from the seed.
std::shared_ptr<FirstStage> tiny_first_stage(uint64_t seed = 1);
std::shared_ptr<LatentDiffusion> tiny_model(const std::string& condition, uint64_t seed = 1);

// The text of the error that `work` throws, after checking its kind.
template <typename Work>
std::string thrown(ErrorKind kind, Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.kind()), static_cast<int>(kind)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace ldm
