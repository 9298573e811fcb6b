#include "cli/sampling_flags.h"

#include <charconv>
#include <optional>

#include "ldm/config/options.h"
#include "ldm/config/override.h"
#include "ldm/core/error.h"
#include "ldm/core/names.h"
#include "ldm/diffusion/spacing.h"

namespace ldm::cli {
namespace {

double read_number(const std::string& text, const char* option) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(!text.empty() && error == std::errc() && end == text.data() + text.size(), option,
        ": expected a number, got '", text, "'");
  return value;
}

// "a,b,c" with at least `least` and at most `most` numbers.
std::vector<double> read_numbers(const std::string& text, size_t least, size_t most, const char* option) {
  std::vector<double> out;
  for (size_t at = 0; at <= text.size();) {
    const auto comma = std::min(text.find(',', at), text.size());
    out.push_back(read_number(text.substr(at, comma - at), option));
    at = comma + 1;
  }
  check(out.size() >= least && out.size() <= most, option, ": expected ",
        least == most ? std::to_string(least) : std::to_string(least) + " to " + std::to_string(most),
        " numbers with commas between, got '", text, "'");
  return out;
}

std::optional<double> read_level(const std::string& text, const char* option) {
  if (text.empty()) return std::nullopt;
  const double value = read_number(text, option);
  check(value >= 0, option, ": expected a number from 0, got ", value);
  return value;
}

}  // namespace

void add_sampling_options(CLI::App* verb, GenerateRequest& request, SamplingFlags& flags) {
  auto& sampling = request.sampling;
  auto& guidance = request.guidance;
  begin_section(verb, "Sampling");
  add_option(verb, "--steps", sampling.steps, "sampling steps");
  add_option(verb, "--sampler", request.sampler, "ddim, dpmpp_2m, unipc, euler_a, ...; --samplers lists all");
  add_option(verb, "--spacing,--schedule", sampling.spacing,
             "where the steps lie: uniform, karras, trailing, ...; without it what fits");
  add_option(verb, "--sigmas", flags.sigmas, "noise levels of your own, descending: 14.6,3,0.5,0");
  add_option(verb, "--eta", flags.eta, "share of fresh noise in each step; without it the sampler's own");
  add_option(verb, "--s-churn", flags.s_churn, "churn of euler, heun, dpm2 and edm (0: none)");
  add_option(verb, "--s-noise", flags.s_noise, "scale of fresh noise");
  add_option(verb, "--temperature", sampling.temperature, "scale of fresh noise of ddim and ddpm");
  verb->add_option("--sampler-option", flags.more,
                   "another setting as KEY=VALUE, e.g. order=3; docs/samplers.md lists them")
      ->allow_extra_args(false);
  verb->add_flag("--fresh-noise", flags.fresh_noise,
                 "SDE samplers draw noise anew at each step, not along one path of the seed");
  begin_section(verb, "Guidance");
  add_option(verb, "--guidance", guidance.scale, "how strictly the prompt is followed; 1: no guidance");
  add_option(verb, "--guidance-rescale", guidance.rescale, "keeps the contrast of strong guidance, 0 to 1");
  add_option(verb, "--guidance-interval", flags.interval, "guide between two noise levels only: LOW,HIGH");
  add_option(verb, "--guidance-steps", flags.guided_steps, "guide in a part of the steps only: 0.1,0.8");
  add_option(verb, "--apg", flags.apg, "adaptive projected guidance: ETA[,NORM[,MOMENTUM]], e.g. 0,0,-0.5");
  verb->add_flag("--zero-star", guidance.zero_star, "CFG-Zero* guidance");
  add_option(verb, "--perp-neg", guidance.perp_neg, "Perp-Neg: strength of the negative prompt; 0: off");
  add_option(verb, "--dynamic-threshold", guidance.dynamic_threshold,
             "clamp each picture's latents to this quantile, e.g. 0.995; 0: off");
}

void read_sampling_flags(const SamplingFlags& flags, GenerateRequest& request) {
  auto& sampling = request.sampling;
  Node more;
  for (const auto& assignment : flags.more) apply_override(more, assignment, "--sampler-option");
  read_options(more, sampling);
  if (!flags.sigmas.empty()) sampling.sigmas = read_numbers(flags.sigmas, 2, 10000, "--sigmas");
  if (!flags.eta.empty()) sampling.eta = read_level(flags.eta, "--eta");
  if (!flags.s_churn.empty()) sampling.s_churn = read_level(flags.s_churn, "--s-churn");
  if (!flags.s_noise.empty()) sampling.s_noise = read_level(flags.s_noise, "--s-noise");
  if (!flags.interval.empty()) {
    const auto ends = read_numbers(flags.interval, 2, 2, "--guidance-interval");
    request.guidance.interval = {ends[0], ends[1]};
  }
  if (!flags.guided_steps.empty()) {
    const auto ends = read_numbers(flags.guided_steps, 2, 2, "--guidance-steps");
    request.guided_steps = {ends[0], ends[1]};
  }
  if (!flags.apg.empty()) {
    auto numbers = read_numbers(flags.apg, 1, 3, "--apg");
    numbers.resize(3, 0.0);
    request.guidance.apg = true;
    request.guidance.apg_options = {.eta = numbers[0], .norm_threshold = numbers[1], .momentum = numbers[2]};
  }
  request.brownian = !flags.fresh_noise;
}

std::string sampler_table() {
  std::string out = "samplers\n";
  const auto row = [&](const std::string& name, const std::vector<std::string>& aliases,
                       const std::string& summary) {
    out += "  " + name + std::string(name.size() < 24 ? 24 - name.size() : 1, ' ') + summary;
    if (!aliases.empty()) out += " (also: " + join_names(aliases) + ")";
    out += '\n';
  };
  for (const auto& info : samplers()) row(info.name, info.aliases, info.summary);
  out += "spacings\n";
  for (const auto& info : spacings()) row(info.name, info.aliases, info.summary);
  return out;
}

}  // namespace ldm::cli
