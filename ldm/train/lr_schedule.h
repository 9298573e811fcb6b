#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ldm {

// The factor on the base learning rate at a step, counted from 0.
using LrSchedule = std::function<double(int64_t step)>;

// The original's LambdaWarmUpCosineScheduler (ldm/lr_scheduler.py): a line from lr_start to lr_max over the
// warm-up, then half a cosine down to lr_min at max_decay_steps, then constant.
struct LambdaWarmUpCosineOptions {
  int64_t warm_up_steps = 0;
  double lr_min = 0.0;
  double lr_max = 1.0;
  double lr_start = 0.0;
  int64_t max_decay_steps = 0;     // Steps until lr_min, warm-up included.
  int64_t verbosity_interval = 0;  // Accepted from the original's files; nothing is printed.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("warm_up_steps", warm_up_steps, "steps of the linear rise");
    visit("lr_min", lr_min, "factor at the end");
    visit("lr_max", lr_max, "factor after the rise");
    visit("lr_start", lr_start, "factor at step 0");
    visit("max_decay_steps", max_decay_steps, "steps until lr_min, the rise included");
    visit("verbosity_interval", verbosity_interval, "ignored");
  }
};

// The lists of LambdaWarmUpCosineScheduler2 and LambdaLinearScheduler: entry i belongs to cycle i. A step
// equal to a cycle's end still belongs to that cycle. Past the last cycle, where the original fails, the last
// value is held.
struct LambdaCyclesOptions {
  std::vector<int64_t> warm_up_steps;
  std::vector<double> f_min;
  std::vector<double> f_max;
  std::vector<double> f_start;
  std::vector<int64_t> cycle_lengths;  // Steps of each cycle, its warm-up included.
  int64_t verbosity_interval = 0;      // Accepted from the original's files; nothing is printed.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("warm_up_steps", warm_up_steps, "steps of the linear rise of each cycle");
    visit("f_min", f_min, "factor at the end of each cycle");
    visit("f_max", f_max, "factor after the rise of each cycle");
    visit("f_start", f_start, "factor at the start of each cycle");
    visit("cycle_lengths", cycle_lengths, "steps of each cycle, the rise included");
    visit("verbosity_interval", verbosity_interval, "ignored");
  }
};

// Ours: rise from 0 (exclusive) to 1, stay at 1, fall along half a cosine to `floor`, stay there.
struct WarmUpConstantCosineOptions {
  int64_t warm_up_steps = 0;   // Factor (n + 1) / warm_up_steps at step n of the rise.
  int64_t constant_steps = 0;  // Steps at factor 1 between rise and fall.
  int64_t decay_steps = 0;     // Steps of the fall; 0: no fall, the factor stays 1.
  double floor = 0.0;          // Last factor, in [0, 1].

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("warm_up_steps", warm_up_steps, "steps of the linear rise");
    visit("constant_steps", constant_steps, "steps at the full rate between rise and fall");
    visit("decay_steps", decay_steps, "steps of the cosine fall; 0: none");
    visit("floor", floor, "factor after the fall");
  }
};

// The schedules of diffusers (get_scheduler), by its names: a line from 0 over the warm-up, then the shape.
// With p = (n - warm-up) / (total - warm-up): constant_with_warmup 1; linear 1 - p; cosine (1 + cos(2 pi
// num_cycles p)) / 2; cosine_with_restarts the same of num_cycles half turns that each start anew, 0 from p =
// 1 on; polynomial (1 - lr_end) (1 - p)^power + lr_end. `constant` has no warm-up.
struct DiffusersLrOptions {
  std::string name = "cosine";
  int64_t num_warmup_steps = 0;
  int64_t num_training_steps = 0;  // 0: the run's own length.
  double num_cycles = 0.0;         // 0: half a cycle for cosine, one for cosine_with_restarts.
  double power = 1.0;              // polynomial
  double lr_end = 1e-7;            // polynomial: the last factor.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("num_warmup_steps", num_warmup_steps, "steps of the linear rise");
    visit("num_training_steps", num_training_steps, "steps until the end of the fall; 0: the run's");
    visit("num_cycles", num_cycles, "cosine: turns; 0: half a one (cosine), one (cosine_with_restarts)");
    visit("power", power, "polynomial: exponent");
    visit("lr_end", lr_end, "polynomial: last factor");
  }
};

// EDM2 (Karras et al. 2024, Sec. 4.2): a line over the first rampup_Mimg million images, and 1 / sqrt(images
// / (ref_batches batch)) once that is below 1.
struct Edm2LrOptions {
  double ref_batches = 70000;
  double rampup_mimg = 10;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("ref_batches", ref_batches, "batches after which the rate falls");
    visit("rampup_Mimg", rampup_mimg, "million images of the linear rise");
  }
};

// Each throws kUsage for negative lengths, lists of unequal or zero length, and a fall that ends within the
// warm-up.
LrSchedule lambda_warm_up_cosine_schedule(const LambdaWarmUpCosineOptions& options);
LrSchedule lambda_warm_up_cosine_schedule_2(const LambdaCyclesOptions& options);
LrSchedule lambda_linear_schedule(const LambdaCyclesOptions& options);
LrSchedule warm_up_constant_cosine_schedule(const WarmUpConstantCosineOptions& options);
LrSchedule diffusers_schedule(const DiffusersLrOptions& options);
LrSchedule edm2_schedule(const Edm2LrOptions& options, int64_t images_per_step);
double edm2_factor(const Edm2LrOptions& options, double images, double batch);

// The names that diffusers_schedule knows.
const std::vector<std::string>& diffusers_schedule_names();

}  // namespace ldm
