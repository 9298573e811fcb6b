#pragma once

#include <torch/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ldm/core/log.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/nn/state_dict.h"
#include "ldm/train/run_config.h"

namespace ldm {

// A latent diffusion model that is being trained, and the file that its frozen first stage came from.
struct TrainedModel {
  std::shared_ptr<LatentDiffusion> model;
  std::filesystem::path first_stage_file;  // Empty where it is part of the model.
  std::string first_stage_sha256;
};

// `config` with what its data says filled in: data.task, and where a class_embedder has n_classes 0, as many
// as the data names and one more, null_class. Throws kUsage if there are no classes to count.
RunConfig with_data(RunConfig config, const TaskSection& task);

// The model that `config` describes, on the device: fresh weights drawn from the run's seed, or those of
// model.params.ckpt_path with its vocabulary and latent scale. `corpus` gives the texts on which the
// tokenizer of a text-conditional model is trained when there is no file to take it from. Throws kUsage for
// options that fit nothing, kData and kFormat for files that cannot be read.
TrainedModel open_trained_model(const RunConfig& config, at::Device device,
                                const std::function<std::vector<std::string>()>& corpus, const LogFn& log);

// The tokenizer's vocabulary as bytes (uint8 [n]); empty for models without one.
torch::Tensor vocabulary_bytes(const LatentDiffusion& model);

// Writes a model file with `averages` in place of the weights that they name, and the first stage's file
// beside it (without such a file the first stage goes inside).
void export_trained_model(const std::filesystem::path& path, const TrainedModel& trained,
                          const RunConfig& config, const StateDict& averages);

}  // namespace ldm
