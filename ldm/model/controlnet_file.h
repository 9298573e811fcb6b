#pragma once

#include <filesystem>
#include <memory>

#include "ldm/nn/controlnet.h"
#include "ldm/nn/unet_options.h"

namespace ldm {

// A ControlNet for a model with this UNet, ready to use: a file of the original (control_model.*, alone or
// among the weights of a whole model), a file with the names of diffusers' ControlNetModel, or such a folder.
// Safetensors or torch.save. Strict: throws kFormat with the table of what does not fit the UNet, and for
// settings of a folder's config.json that are not known here; kData when it cannot be read.
std::shared_ptr<ControlNet> load_controlnet(const std::filesystem::path& path, const UNetOptions& unet);

}  // namespace ldm
