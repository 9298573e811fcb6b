#include "ldm/train/lr_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// A cycle's settings and how far into it a step is.
struct Cycle {
  double n, warm_up, start, max, min, length;
};

double line(double from, double to, double n, double length) { return from + (to - from) * n / length; }

double half_cosine(double max, double min, double t) {
  return min + 0.5 * (max - min) * (1 + std::cos(std::min(t, 1.0) * std::numbers::pi));
}

double warm_up_cosine(const Cycle& c) {
  if (c.n < c.warm_up) return line(c.start, c.max, c.n, c.warm_up);
  return half_cosine(c.max, c.min, (c.n - c.warm_up) / (c.length - c.warm_up));
}

double warm_up_linear(const Cycle& c) {
  if (c.n < c.warm_up) return line(c.start, c.max, c.n, c.warm_up);
  return c.min + (c.max - c.min) * (c.length - c.n) / c.length;
}

Cycle cycle_at(const LambdaCyclesOptions& o, int64_t step) {
  int64_t begin = 0;
  size_t i = 0;
  while (i + 1 < o.cycle_lengths.size() && step > begin + o.cycle_lengths[i]) begin += o.cycle_lengths[i++];
  const auto n = std::min(step - begin, o.cycle_lengths[i]);
  return {static_cast<double>(n),
          static_cast<double>(o.warm_up_steps[i]),
          o.f_start[i],
          o.f_max[i],
          o.f_min[i],
          static_cast<double>(o.cycle_lengths[i])};
}

void check_warm_up(const char* who, int64_t warm_up, int64_t length) {
  check(warm_up >= 0 && warm_up < length, who, ": expected 0 <= warm_up_steps < length, got warm_up_steps ",
        warm_up, " and length ", length);
}

void check_cycles(const char* who, const LambdaCyclesOptions& o) {
  const auto count = o.cycle_lengths.size();
  check(count > 0 && o.warm_up_steps.size() == count && o.f_min.size() == count && o.f_max.size() == count &&
            o.f_start.size() == count,
        who, ": expected lists of one equal length > 0, got warm_up_steps ", o.warm_up_steps.size(),
        ", f_min ", o.f_min.size(), ", f_max ", o.f_max.size(), ", f_start ", o.f_start.size(),
        ", cycle_lengths ", count);
  for (size_t i = 0; i < count; ++i) check_warm_up(who, o.warm_up_steps[i], o.cycle_lengths[i]);
}

}  // namespace

LrSchedule lambda_warm_up_cosine_schedule(const LambdaWarmUpCosineOptions& o) {
  check_warm_up("LambdaWarmUpCosineScheduler", o.warm_up_steps, o.max_decay_steps);
  return [o](int64_t step) {
    return warm_up_cosine({static_cast<double>(step), static_cast<double>(o.warm_up_steps), o.lr_start,
                           o.lr_max, o.lr_min, static_cast<double>(o.max_decay_steps)});
  };
}

LrSchedule lambda_warm_up_cosine_schedule_2(const LambdaCyclesOptions& o) {
  check_cycles("LambdaWarmUpCosineScheduler2", o);
  return [o](int64_t step) { return warm_up_cosine(cycle_at(o, step)); };
}

LrSchedule lambda_linear_schedule(const LambdaCyclesOptions& o) {
  check_cycles("LambdaLinearScheduler", o);
  return [o](int64_t step) { return warm_up_linear(cycle_at(o, step)); };
}

LrSchedule warm_up_constant_cosine_schedule(const WarmUpConstantCosineOptions& o) {
  check(o.warm_up_steps >= 0 && o.constant_steps >= 0 && o.decay_steps >= 0,
        "WarmUpConstantCosine: expected lengths >= 0, got warm_up_steps ", o.warm_up_steps,
        ", constant_steps ", o.constant_steps, ", decay_steps ", o.decay_steps);
  check(o.floor >= 0 && o.floor <= 1, "WarmUpConstantCosine: expected floor in [0, 1], got ", o.floor);
  return [o](int64_t step) {
    if (step < o.warm_up_steps) return static_cast<double>(step + 1) / static_cast<double>(o.warm_up_steps);
    const auto fallen = step - o.warm_up_steps - o.constant_steps;
    if (o.decay_steps == 0 || fallen <= 0) return 1.0;
    return half_cosine(1.0, o.floor, static_cast<double>(fallen) / static_cast<double>(o.decay_steps));
  };
}

}  // namespace ldm
