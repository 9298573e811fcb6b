#pragma once

#include <torch/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "ldm/model/latent_diffusion.h"
#include "ldm/model/weight_file.h"

namespace ldm {

// A word learned from pictures (textual inversion), as files hold it.
struct LearnedWordFile {
  std::string name;                    // The one inside, such as "<cat-toy>"; empty: none.
  std::vector<torch::Tensor> vectors;  // [n, width] for each text encoder: one, or SDXL's two.
};

// string_to_param with the original's and the web UI's names (.pt), the only tensor ({token: tensor}, .bin),
// emb_params (.safetensors), or clip_l and clip_g of SDXL. Throws kFormat.
LearnedWordFile read_learned_word(const WeightFile& file);

// Teaches a model's text encoders the word of a file. Prompts name it by the file's name without suffix, or
// by the name inside. Returns these names. Throws kFormat when it was made for other encoders, kUsage when
// the model reads no words or a name does not serve.
std::vector<std::string> add_learned_word(LatentDiffusion& model, const std::filesystem::path& path);

}  // namespace ldm
