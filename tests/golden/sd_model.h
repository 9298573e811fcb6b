#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "ldm/nn/autoencoder_kl.h"
#include "ldm/nn/clip_text.h"
#include "ldm/nn/unet.h"
#include "ldm/text/clip_tokenizer.h"
#include "tests/golden/case.h"

namespace ldm::golden {

// The networks of a Stable Diffusion model.
struct SdModel {
  std::string layout;  // sd1, sd2 or sdxl.
  std::shared_ptr<UNet> unet;
  std::shared_ptr<AutoencoderKL> first_stage;
  std::shared_ptr<ClipText> text, text_2;
  int64_t clip_skip = 1;     // sd2: which layer's state the UNet was trained with.
  int64_t adm_channels = 0;  // sdxl: width of y.
};

ClipTokenizer read_clip_tokenizer_folder(const std::filesystem::path& folder);

// A folder of diffusers.
SdModel read_sd_folder(const std::filesystem::path& folder, const std::string& layout);

// An original checkpoint; the text towers' settings stand in the case's folder of diffusers.
SdModel read_sd_single(const std::filesystem::path& file, const std::filesystem::path& folder,
                       const Json& description);

}  // namespace ldm::golden
