#include "ldm/train/run_config.h"

#include <utility>

#include "ldm/config/options.h"
#include "ldm/config/override.h"
#include "ldm/config/yaml.h"
#include "ldm/core/error.h"
#include "ldm/model/ignored_settings.h"
#include "ldm/train/original_run.h"

namespace ldm {
namespace {

void check_range(bool ok, const char* key, const char* expected, double got) {
  check(ok, key, ": expected ", expected, ", got ", got);
}

void check_one_of(const char* key, const std::string& got, const char* a, const char* b) {
  check(got == a || got == b, key, ": expected ", a, " or ", b, ", got '", got, "'");
}

void validate(const RunConfig& c) {
  const auto& t = c.train;
  const auto number = [](int64_t v) { return static_cast<double>(v); };
  check_range(c.model.base_learning_rate > 0, "model.base_learning_rate", "a positive number",
              c.model.base_learning_rate);
  check_range(c.data.size >= 8 && c.data.size <= 4096, "data.size", "8..4096 pixels", number(c.data.size));
  check_range(c.data.batch_size >= 1, "data.batch_size", "at least 1", number(c.data.batch_size));
  check_range(c.data.held_out >= 0 && c.data.held_out < 1, "data.held_out", "a fraction in [0, 1)",
              c.data.held_out);
  check_range(t.steps >= 1, "train.steps", "at least 1", number(t.steps));
  check_range(t.accumulate >= 1, "train.accumulate", "at least 1", number(t.accumulate));
  check_range(t.log_every >= 1, "train.log_every", "at least 1", number(t.log_every));
  check_range(t.keep_checkpoints >= 1, "train.keep_checkpoints", "at least 1", number(t.keep_checkpoints));
  check_range(t.constant_fraction >= 0 && t.constant_fraction <= 1, "train.constant_fraction", "0..1",
              t.constant_fraction);
  check_range(t.lr_floor >= 0 && t.lr_floor <= 1, "train.lr_floor", "0..1", t.lr_floor);
  check_range(t.warm_up_steps >= 0, "train.warm_up_steps", "at least 0", number(t.warm_up_steps));
  check_range(t.clip_grad_norm >= 0, "train.clip_grad_norm", "a number from 0 (no clipping)",
              t.clip_grad_norm);
  check_range(t.max_minutes >= 0, "train.max_minutes", "a number from 0 (no limit)", t.max_minutes);
  check_range(t.threads >= 0, "train.threads", "at least 0 (all cores)", number(t.threads));
  check_range(t.ema.decay >= 0 && t.ema.decay <= 1, "train.ema.decay", "a number from 0 to 1", t.ema.decay);
  check_range(c.data.workers >= 0, "data.workers", "at least 0", number(c.data.workers));
  check_caption_options(c.data.captions);
  check_one_of("train.precision", t.precision, "fp32", "bf16");
  check_one_of("train.latent_cache", t.latent_cache, "memory", "none");
  check_one_of("train.timesteps", t.timesteps, "stratified", "uniform");
  check_one_of("train.scale_from", t.scale_from, "data", "first_batch");
  check_one_of("train.discriminator_pass", t.discriminator_pass, "shared", "own");
  check(!c.data.path.empty(), "data.path: expected a folder of pictures, got nothing");
}

}  // namespace

RunConfig load_run_config(const std::filesystem::path& path, const std::vector<std::string>& overrides,
                          const LogFn& log) {
  auto node = read_yaml(path);
  for (const auto& assignment : overrides) apply_override(node, assignment);
  if (is_original_run(node)) {
    std::vector<std::string> notes;
    node = from_original_run(node, notes);
    for (auto& setting : ignored_settings(node)) notes.push_back(std::move(setting));
    for (const auto& note : notes) log_info(log, "without effect: " + note);
  }
  RunConfig config;
  read_options(node, config);
  validate(config);
  return config;
}

}  // namespace ldm
