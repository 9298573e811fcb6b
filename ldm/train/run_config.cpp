#include "ldm/train/run_config.h"

#include "ldm/config/options.h"
#include "ldm/config/override.h"
#include "ldm/config/yaml.h"
#include "ldm/core/error.h"

namespace ldm {
namespace {

void check_range(bool ok, const char* key, const char* expected, double got) {
  check(ok, key, ": expected ", expected, ", got ", got);
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
  check(t.precision == "fp32" || t.precision == "bf16", "train.precision: expected fp32 or bf16, got '",
        t.precision, "'");
  check(t.latent_cache == "memory" || t.latent_cache == "none",
        "train.latent_cache: expected memory or none, got '", t.latent_cache, "'");
  check(!c.data.path.empty(), "data.path: expected a folder of pictures, got nothing");
}

}  // namespace

RunConfig load_run_config(const std::filesystem::path& path, const std::vector<std::string>& overrides) {
  auto node = read_yaml(path);
  for (const auto& assignment : overrides) apply_override(node, assignment);
  RunConfig config;
  read_options(node, config);
  validate(config);
  return config;
}

}  // namespace ldm
