// Schedules of other programs than the original.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "ldm/core/error.h"
#include "ldm/core/names.h"
#include "ldm/train/lr_schedule.h"

namespace ldm {
namespace {

// The factor after the warm-up; p grows from 0 to 1 at the end of the training and further.
double diffusers_shape(const DiffusersLrOptions& o, double p) {
  const auto half_turns = [](double turns) { return 0.5 * (1 + std::cos(std::numbers::pi * turns)); };
  const double cycles = o.num_cycles > 0 ? o.num_cycles : (o.name == "cosine" ? 0.5 : 1.0);
  if (o.name == "linear") return std::max(0.0, 1 - p);
  if (o.name == "cosine") return std::max(0.0, half_turns(2 * cycles * p));
  if (o.name == "cosine_with_restarts") return p >= 1 ? 0.0 : half_turns(std::fmod(cycles * p, 1.0));
  if (o.name == "polynomial") return p > 1 ? o.lr_end : (1 - o.lr_end) * std::pow(1 - p, o.power) + o.lr_end;
  return 1.0;
}

}  // namespace

const std::vector<std::string>& diffusers_schedule_names() {
  static const std::vector<std::string> kNames = {"constant", "constant_with_warmup", "linear",
                                                  "cosine",   "cosine_with_restarts", "polynomial"};
  return kNames;
}

LrSchedule diffusers_schedule(const DiffusersLrOptions& o) {
  const auto& names = diffusers_schedule_names();
  check(std::find(names.begin(), names.end(), o.name) != names.end(),
        "learning-rate schedule: expected one of ", join_names(names), ", got '", o.name, "'",
        nearest_hint(o.name, names));
  check(o.num_warmup_steps >= 0 && o.num_training_steps >= 0 && o.num_cycles >= 0, o.name,
        ": expected num_warmup_steps, num_training_steps and num_cycles >= 0, got ", o.num_warmup_steps, ", ",
        o.num_training_steps, ", ", o.num_cycles);
  if (o.name == "constant") return [](int64_t) { return 1.0; };
  const auto warm_up = static_cast<double>(o.num_warmup_steps);
  const double fall = std::max(1.0, static_cast<double>(o.num_training_steps) - warm_up);
  return [o, warm_up, fall](int64_t step) {
    const auto n = static_cast<double>(step);
    return n < warm_up ? n / warm_up : diffusers_shape(o, (n - warm_up) / fall);
  };
}

double edm2_factor(const Edm2LrOptions& o, double images, double batch) {
  const double rise = o.rampup_mimg > 0 ? std::min(images / (o.rampup_mimg * 1e6), 1.0) : 1.0;
  const double fall = o.ref_batches > 0 ? std::sqrt(std::max(images / (o.ref_batches * batch), 1.0)) : 1.0;
  return rise / fall;
}

LrSchedule edm2_schedule(const Edm2LrOptions& o, int64_t images_per_step) {
  check(o.ref_batches >= 0 && o.rampup_mimg >= 0 && images_per_step > 0,
        "edm2: expected ref_batches and rampup_Mimg >= 0, got ", o.ref_batches, " and ", o.rampup_mimg);
  const auto batch = static_cast<double>(images_per_step);
  return [o, batch](int64_t step) { return edm2_factor(o, static_cast<double>(step) * batch, batch); };
}

}  // namespace ldm
