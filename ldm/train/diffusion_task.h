#pragma once

#include <memory>

#include "ldm/core/log.h"
#include "ldm/core/progress.h"
#include "ldm/core/stop.h"
#include "ldm/train/run_config.h"
#include "ldm/train/train_task.h"

namespace ldm {

// Stage two: trains the UNet (and, with cond_stage_trainable, the condition's encoder) in the latent space of
// a frozen first stage (Rombach et al. 2022, Sec. 3.2). Latents are computed once (train.latent_cache:
// memory). Without a vocabulary in the model, WordPiece is trained on the folder's own captions first. Throws
// as make_autoencoder_task.
std::unique_ptr<TrainTask> make_diffusion_task(const RunConfig& config, const LogFn& log,
                                               const ProgressFn& progress, const StopToken& stop);

}  // namespace ldm
