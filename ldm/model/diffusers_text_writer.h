#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "ldm/config/node.h"
#include "ldm/io/json.h"
#include "ldm/nn/state_dict.h"

namespace ldm {

// Writes the text side of a folder of diffusers: text_encoder and tokenizer, for SDXL also text_encoder_2 and
// tokenizer_2, from a model's cond_stage_config, its tensors and its vocabulary (empty: OpenAI's where the
// sizes say so, otherwise no tokenizer). Returns what model_index.json says of them; null for an
// unconditional model. Layers behind the one that is looked at are in the files, but not in the number of
// layers that transformers builds, so that it passes them over. Throws kUsage for encoders that the pipelines
// of diffusers do not have, kData.
Json write_diffusers_text(const std::filesystem::path& folder, const Node& config, const StateDict& tensors,
                          const std::string& vocabulary, at::ScalarType dtype);

// Writes vocab.json, merges.txt and the two small files beside them from what a model carries. captions have
// up to max_length tokens and are filled up with pad_token. `folder` is made.
void write_clip_tokenizer_folder(const std::filesystem::path& folder, const std::string& vocabulary,
                                 const std::string& pad_token, int64_t max_length);

}  // namespace ldm
