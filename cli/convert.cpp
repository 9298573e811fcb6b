#include <ATen/ATen.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/verb.h"
#include "ldm/core/error.h"
#include "ldm/model/model_file.h"

namespace ldm::cli {
namespace {

struct ConvertFlags {
  std::string input, output, dtype = "f16", first_stage;
  bool force = false, json = false;
};

at::ScalarType read_dtype(const std::string& name) {
  if (name == "f32") return at::kFloat;
  if (name == "f16") return at::kHalf;
  check(name == "bf16", "--dtype: expected f32, f16 or bf16, got '", name, "'");
  return at::kBFloat16;
}

int convert(const ConvertFlags& flags) {
  namespace fs = std::filesystem;
  const auto dtype = read_dtype(flags.dtype);
  check(flags.force || !fs::exists(flags.output), flags.output,
        " is there already; hint: --force writes over it");
  auto model = read_model_file(flags.input);
  if (!flags.first_stage.empty()) {
    check(model.kind == ModelKind::kDiffusion, "--first-stage: ", flags.input, " is a first stage itself");
    const fs::path beside = fs::path(flags.output).parent_path() / fs::path(flags.first_stage).filename();
    check(fs::exists(beside) && fs::equivalent(beside, flags.first_stage),
          "--first-stage: expected a file beside the output, so that it is found there; got ",
          flags.first_stage);
    load_first_stage(beside);  // Throws unless it is one.
    model.first_stage = beside.filename().string();
    model.first_stage_sha256 = file_sha256(beside);
  }
  write_model_file(flags.output, model, dtype);
  const auto bytes = fs::file_size(flags.output);
  if (flags.json) {
    std::cout
        << nlohmann::ordered_json{{"file", flags.output}, {"dtype", flags.dtype}, {"bytes", bytes}}.dump()
        << '\n';
  } else {
    std::cout << flags.output << ": " << flags.dtype << ", " << bytes << " bytes\n";
  }
  return 0;
}

}  // namespace

void add_convert(CLI::App& app, Context& context) {
  auto* verb = add_verb(app, context, "convert", "writes a model in another number format",
                        {{"ldm convert runs/diffusion/model.safetensors small.safetensors", "half the size"},
                         {"ldm convert small.safetensors big.safetensors --dtype f32", "and back"}});
  auto flags = std::make_shared<ConvertFlags>();
  verb->add_option("input", flags->input, "model file")->required();
  verb->add_option("output", flags->output, "model file to write")->required();
  add_option(verb, "--dtype", flags->dtype, "f32, f16 or bf16");
  verb->add_option("--first-stage", flags->first_stage,
                   "the first stage to name inside, a file beside the output");
  verb->add_flag("--force", flags->force, "write over a file that is there");
  verb->add_flag("--json", flags->json, "print the result as JSON");
  set_run(verb, context, [flags] { return convert(*flags); });
}

}  // namespace ldm::cli
