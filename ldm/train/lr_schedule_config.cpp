#include "ldm/train/lr_schedule_config.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "ldm/config/options.h"
#include "ldm/core/error.h"
#include "ldm/core/names.h"

namespace ldm {
namespace {

constexpr std::string_view kOriginalPrefix = "ldm.lr_scheduler.";

struct ScheduleName {
  std::string_view original, ours;
};
constexpr ScheduleName kLinear{"LambdaLinearScheduler", "lambda_linear"};
constexpr ScheduleName kCosine{"LambdaWarmUpCosineScheduler", "lambda_warm_up_cosine"};
constexpr ScheduleName kCosine2{"LambdaWarmUpCosineScheduler2", "lambda_warm_up_cosine_2"};

template <typename Options>
Options schedule_params(const Node& config, const std::string& where) {
  Options options;
  if (const auto* params = config.find("params")) read_options(*params, options, where + ".params");
  return options;
}

// Warm-up, constant part and cosine to the floor, over train.steps.
LrSchedule own_schedule(const TrainSection& o) {
  const auto warm_up = std::min(o.warm_up_steps, o.steps - 1);
  const auto constant =
      static_cast<int64_t>(std::llround(o.constant_fraction * static_cast<double>(o.steps)));
  const auto held = std::clamp<int64_t>(constant - warm_up, 0, o.steps - warm_up);
  return warm_up_constant_cosine_schedule({.warm_up_steps = warm_up,
                                           .constant_steps = held,
                                           .decay_steps = o.steps - warm_up - held,
                                           .floor = o.lr_floor});
}

}  // namespace

LrSchedule make_lr_schedule(const Node& config, std::string_view where, int64_t steps,
                            int64_t images_per_step) {
  const std::string path(where);
  const auto target = config.at("target").text();
  const auto name = target.starts_with(kOriginalPrefix) ? target.substr(kOriginalPrefix.size()) : target;
  const auto is = [&](const ScheduleName& known) { return name == known.original || name == known.ours; };
  if (is(kLinear)) return lambda_linear_schedule(schedule_params<LambdaCyclesOptions>(config, path));
  if (is(kCosine2))
    return lambda_warm_up_cosine_schedule_2(schedule_params<LambdaCyclesOptions>(config, path));
  if (is(kCosine))
    return lambda_warm_up_cosine_schedule(schedule_params<LambdaWarmUpCosineOptions>(config, path));
  if (name == "edm2") return edm2_schedule(schedule_params<Edm2LrOptions>(config, path), images_per_step);

  auto names = diffusers_schedule_names();
  if (std::find(names.begin(), names.end(), name) != names.end()) {
    auto options = schedule_params<DiffusersLrOptions>(config, path);
    options.name = name;
    if (options.num_training_steps == 0) options.num_training_steps = steps;
    return diffusers_schedule(options);
  }
  for (const auto& known : {kLinear, kCosine, kCosine2}) names.emplace_back(known.ours);
  names.emplace_back("edm2");
  fail(ErrorKind::kUsage, path, ".target: expected one of ", join_names(names), ", got '", target, "'",
       nearest_hint(name, names));
}

LrSchedule training_learning_rate(const RunConfig& config, const Node& scheduler_config) {
  const auto& train = config.train;
  const auto images = config.data.batch_size * train.accumulate;
  auto schedule =
      scheduler_config.is_null()
          ? own_schedule(train)
          : make_lr_schedule(scheduler_config, "model.params.scheduler_config", train.steps, images);
  const double rate = config.model.base_learning_rate * (train.scale_lr ? static_cast<double>(images) : 1.0);
  return [rate, schedule = std::move(schedule)](int64_t step) { return rate * schedule(step); };
}

}  // namespace ldm
