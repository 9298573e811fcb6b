#include <ATen/Parallel.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/print_json.h"
#include "cli/start_torch.h"
#include "cli/verb.h"
#include "ldm/config/options.h"
#include "ldm/config/yaml.h"
#include "ldm/core/error.h"
#include "ldm/core/stopped.h"
#include "ldm/model/targets.h"
#include "ldm/train/autoencoder_task.h"
#include "ldm/train/diffusion_task.h"
#include "ldm/train/trainer.h"

namespace ldm::cli {
namespace {

struct TrainFlags {
  std::string config;
  std::vector<std::string> overrides;
  std::string resume = "none";
  std::string out;
  bool dry_run = false;
  bool json = false;
};

std::unique_ptr<TrainTask> make_task(const RunConfig& config, const Context& context) {
  const auto target = parse_target(config.model.target, "model.target");
  if (target == Target::kLatentDiffusion) {
    return make_diffusion_task(config, context.log(), context.progress(), context.stop);
  }
  return make_autoencoder_task(config, context.log(), context.progress(), context.stop);
}

void print_report(const TrainReport& report, const std::filesystem::path& run, bool json) {
  if (json) {
    print_json({{"run", run.string()},
                {"model", report.model.string()},
                {"first_step", report.first_step},
                {"steps", report.steps_done},
                {"finished", report.finished},
                {"seconds", report.seconds},
                {"images_per_second", report.images_per_second}});
    return;
  }
  std::cout << (report.finished ? "Finished" : "Stopped") << " after step " << report.steps_done;
  if (report.images_per_second > 0)  // Nothing was left to do otherwise.
    std::cout << " (" << format_rate(report.images_per_second, "images") << ")";
  std::cout << ". Model: " << report.model.string() << '\n';
  if (!report.finished) std::cout << "Go on with the same command and --resume auto.\n";
}

void print_unstarted(const std::filesystem::path& run, bool json) {
  if (json) {
    print_json({{"run", run.string()}, {"finished", false}});
  } else {
    std::cout << "Stopped before the first step; nothing was written.\n";
  }
}

int train(const TrainFlags& flags, const Context& context) {
  check(flags.resume == "none" || flags.resume == "auto", "--resume: expected auto or none, got '",
        flags.resume, "'");
  auto config = load_run_config(flags.config, flags.overrides, context.log());
  if (context.device != "auto") config.train.device = context.device;
  if (context.threads > 0) config.train.threads = context.threads;
  if (config.train.threads > 0) at::set_num_threads(static_cast<int>(config.train.threads));
  const auto yaml = to_yaml(write_options(config));
  if (flags.dry_run) {
    std::cout << yaml;
    return 0;
  }
  const std::filesystem::path run =
      flags.out.empty() ? std::filesystem::path("runs") / std::filesystem::path(flags.config).stem()
                        : std::filesystem::path(flags.out);
  if (flags.resume == "none") check_new_run(run);  // Before the pictures are read, which takes its time.
  try {
    const auto task = make_task(config, context);
    const auto report =
        run_training(*task, config.train, yaml, run, flags.resume == "auto",
                     {.log = context.log(), .progress = context.progress(), .stop = context.stop});
    print_report(report, run, flags.json);
  } catch (const Stopped&) {  // While pictures were read or encoded: the run is as it was.
    context.terminal->end_bar();
    print_unstarted(run, flags.json);
  }
  return 0;
}

}  // namespace

void add_train(CLI::App& app, Context& context) {
  auto* verb = add_verb(
      app, context, "train", "trains an autoencoder or a latent diffusion model",
      {{"ldm train configs/emoji/autoencoder.yaml", "stage one, the perceptual autoencoder"},
       {"ldm train configs/emoji/diffusion.yaml --resume auto", "stage two; goes on where it was stopped"},
       {"ldm train configs/emoji/autoencoder.yaml data.path=my/pictures", "on your own pictures"},
       {"ldm train configs/emoji/diffusion.yaml --dry-run", "every setting with its value"}});
  auto flags = std::make_shared<TrainFlags>();
  verb->add_option("config", flags->config, "YAML file of the run")->required();
  verb->add_option("overrides", flags->overrides, "settings as key=value, e.g. train.steps=20000");
  add_option(verb, "--resume", flags->resume,
             "auto: go on from the newest good checkpoint of the run, if there is one; none");
  add_option(verb, "-o,--out", flags->out, "folder of the run; without it runs/<name of the config>");
  verb->add_flag("--dry-run", flags->dry_run, "print the complete configuration and end");
  verb->add_flag("--json", flags->json, "print the result as JSON");
  add_compute_options(verb, context);
  set_run(verb, context, [flags, &context] { return train(*flags, context); });
}

}  // namespace ldm::cli
