#pragma once

#include <filesystem>
#include <string>

#include "ldm/config/node.h"
#include "ldm/io/json.h"
#include "ldm/nn/clip_text.h"
#include "ldm/nn/state_dict.h"

namespace ldm {

// The text side of a folder of diffusers: what becomes cond_stage_config, the weights below cond_stage_model
// and the tokenizer's vocabulary (empty where there is none).
struct DiffusersText {
  Node config;  // unconditional where the folder has no text encoder.
  StateDict tensors;
  std::string vocabulary;
};

// text_encoder, tokenizer and, of SDXL, text_encoder_2. Throws kData when a part is missing, kFormat.
DiffusersText open_diffusers_text(const std::filesystem::path& folder);

// text_encoder/config.json; keys that do not shape the tower are passed over. Throws kFormat.
ClipTextOptions read_clip_text_config(const Json& config, const std::string& where);

// The key of text_encoder/config.json under which diffusers_text_writer leaves the model's cond_stage_config:
// transformers keeps keys that it does not know.
inline constexpr char kKeptConfig[] = "ldm_config";

}  // namespace ldm
