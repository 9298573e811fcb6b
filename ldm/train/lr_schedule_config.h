#pragma once

#include <cstdint>
#include <string_view>

#include "ldm/config/node.h"
#include "ldm/train/lr_schedule.h"
#include "ldm/train/run_config.h"

namespace ldm {

// The schedule that {target, params} describes; `where` is the node's path, for messages. Targets: the
// original's classes ldm.lr_scheduler.LambdaLinearScheduler, LambdaWarmUpCosineScheduler and
// LambdaWarmUpCosineScheduler2 (short: lambda_linear, lambda_warm_up_cosine, lambda_warm_up_cosine_2), those
// of diffusers by their names (constant, constant_with_warmup, linear, cosine, cosine_with_restarts,
// polynomial), and edm2. Throws kUsage.
LrSchedule make_lr_schedule(const Node& config, std::string_view where, int64_t steps,
                            int64_t images_per_step);

// The learning rate of a run: model.base_learning_rate, times the pictures of a step with train.scale_lr,
// times the schedule: that of `scheduler_config`, or train's own warm-up, constant part and cosine where it
// is null.
LrSchedule training_learning_rate(const RunConfig& config, const Node& scheduler_config);

}  // namespace ldm
