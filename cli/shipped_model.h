#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "cli/cli.h"
#include "ldm/nn/first_stage.h"

namespace ldm::cli {

// The model file or folder that -m names, or the shipped one of this name. Throws kData unless it is there,
// and for a picture.
std::filesystem::path find_model(const std::string& given, const char* shipped, const Context& context);

// The file of a first stage: `given`, which may also be ENCODER,DECODER of a tiny autoencoder, or the shipped
// one. Throws as above.
std::string first_stage_name(const std::string& given, const Context& context);

// That first stage on --device.
std::shared_ptr<FirstStage> open_first_stage(const std::string& given, const Context& context);

}  // namespace ldm::cli
