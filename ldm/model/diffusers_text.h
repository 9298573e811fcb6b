#pragma once

#include <filesystem>
#include <string>

#include "ldm/config/node.h"
#include "ldm/io/json.h"
#include "ldm/nn/clip_text.h"
#include "ldm/nn/state_dict.h"

namespace ldm {

// The text side of a folder of diffusers: what becomes cond_stage_config, the weights below cond_stage_model
// and the tokenizer's vocabulary.
struct DiffusersText {
  Node config;  // unconditional where the folder has no text encoder.
  StateDict tensors;
  std::string vocabulary;
};

// text_encoder, tokenizer and, of SDXL, text_encoder_2. Throws kData when a part is missing, kFormat.
DiffusersText open_diffusers_text(const std::filesystem::path& folder);

// Writes vocab.json, merges.txt and the two small files beside them from what a model carries. pad_token: see
// ClipTokenizerOptions; captions have up to max_length tokens. `folder` is made.
void write_clip_tokenizer_folder(const std::filesystem::path& folder, const std::string& vocabulary,
                                 const std::string& pad_token, int64_t max_length);

// text_encoder/config.json; keys that do not shape the tower are passed over. Throws kFormat.
ClipTextOptions read_clip_text_config(const Json& config, const std::string& where);

// Names of a CLIP text tower as transformers has them, made equal for all its versions: text_model. in front
// (transformers 5 leaves it out), no position ids.
StateDict clip_text_from_transformers(StateDict tensors);

// Between the names of transformers and those of OpenCLIP, for a tower of so many layers: q, k and v are
// thirds of in_proj, and the projection is stored transposed. OpenCLIP's logit_scale, which nothing uses, is
// dropped, or made as ln(1 / 0.07).
StateDict clip_text_from_open_clip(StateDict tensors, int64_t layers);
StateDict clip_text_to_open_clip(StateDict tensors, int64_t layers);

}  // namespace ldm
