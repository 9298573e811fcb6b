#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/verb.h"
#include "ldm/model/latent_diffusion.h"

namespace ldm::cli {

// Which model a verb draws with.
struct ModelFlags {
  std::string model, first_stage;       // Empty: the shipped one; the model's own.
  std::vector<std::string> loras;       // FILE or FILE:STRENGTH.
  std::vector<std::string> embeddings;  // Words of textual inversion.
};

void add_model_options(CLI::App* verb, ModelFlags& flags);

// The model's file or folder. Throws kData when it is not there.
std::filesystem::path model_path(const ModelFlags& flags, const Context& context);

// The SHA-256 of a model's file; empty for a folder.
std::string model_sha256(const std::filesystem::path& model);

// The model with its adapters and learned words, on the device, ready to draw.
std::shared_ptr<LatentDiffusion> open_draw_model(const ModelFlags& flags, const Context& context);

}  // namespace ldm::cli
