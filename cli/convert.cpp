#include <ATen/ATen.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "cli/print_json.h"
#include "cli/verb.h"
#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/model/diffusers_writer.h"
#include "ldm/model/first_stage_inside.h"
#include "ldm/model/load_model.h"
#include "ldm/model/model_file.h"
#include "ldm/model/open_model.h"
#include "ldm/model/original_writer.h"
#include "ldm/text/wordpiece.h"

namespace ldm::cli {
namespace {

struct ConvertFlags {
  std::string input, output, to = "ldm", dtype = "f16", first_stage, config, vocabulary;
  bool no_ema = false, allow_mismatch = false, force = false, json = false;
};

at::ScalarType read_dtype(const std::string& name) {
  if (name == "f32") return at::kFloat;
  if (name == "f16") return at::kHalf;
  check(name == "bf16", "--dtype: expected f32, f16 or bf16, got '", name, "'");
  return at::kBFloat16;
}

// Puts another first stage's name and hash into a model without one.
void name_first_stage(const ConvertFlags& flags, ModelFile& model) {
  namespace fs = std::filesystem;
  const fs::path beside = fs::path(flags.output).parent_path() / fs::path(flags.first_stage).filename();
  check(fs::exists(beside) && fs::equivalent(beside, flags.first_stage),
        "--first-stage: expected a file beside the output, so that it is found there; got ",
        flags.first_stage);
  load_first_stage(beside);  // Throws unless it is one.
  model.first_stage = beside.filename().string();
  model.first_stage_sha256 = file_sha256(beside);
}

// Our files may name a first stage beside them; the other layouts hold it.
void settle_first_stage(const ConvertFlags& flags, ModelFile& model) {
  check(flags.first_stage.empty() || model.kind == ModelKind::kDiffusion, "--first-stage: ", flags.input,
        " is a first stage itself");
  if (flags.to == "ldm") {
    if (!flags.first_stage.empty()) name_first_stage(flags, model);
  } else if (!flags.first_stage.empty()) {
    put_first_stage_inside(model, open_model(flags.first_stage));
  } else if (!model.first_stage.empty()) {
    put_first_stage_inside(model, open_named_first_stage(model, flags.input));
  }
}

// Before anything is read: a layout that is known, under names that are free and fit it.
void check_output(const ConvertFlags& flags) {
  namespace fs = std::filesystem;
  check(flags.to == "ldm" || flags.to == "original" || flags.to == "diffusers",
        "--to: expected ldm, original or diffusers, got '", flags.to, "'");
  const fs::path output = flags.output;
  const auto suffix = output.extension();
  const bool folder = flags.to == "diffusers";
  for (const char* other : {".ckpt", ".pt", ".pth", ".bin", ".gguf", ".yaml", ".yml", ".json"}) {
    check(folder || suffix != other, flags.output, ": what is written is safetensors, not ", other,
          "; hint: end the name in .safetensors");
  }
  check(flags.to != "original" || suffix == ".safetensors", flags.output,
        ": its YAML takes the name's beginning; hint: end the name in .safetensors");
  const auto check_free = [&](const fs::path& path) {
    check(flags.force || !fs::exists(path), path.string(), " is there already; hint: --force writes over it");
  };
  check_free(output);
  if (flags.to == "original") check_free(original_yaml_path(output));
}

// The original's checkpoints do not hold what their text encoder reads captions by: bert-base-uncased's
// vocab.txt.
void give_vocabulary(const ConvertFlags& flags, ModelFile& model) {
  if (flags.vocabulary.empty()) return;
  check(reads_own_vocabulary(model), "--vocabulary: ", flags.input, " reads none; expected none");
  auto text = read_text(flags.vocabulary);
  WordPiece::from_vocab(as_bytes(text));  // Throws unless it is one.
  model.vocabulary = std::move(text);
}

void write(const ConvertFlags& flags, const ModelFile& model, at::ScalarType dtype) {
  if (flags.to == "ldm") return write_model_file(flags.output, model, dtype);
  if (flags.to == "original") return write_original_file(flags.output, model, dtype);
  write_diffusers_folder(flags.output, model, dtype);
}

// Bytes of a file, or of all files in a folder.
uintmax_t size_of(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  if (!fs::is_directory(path)) return fs::file_size(path);
  uintmax_t sum = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) sum += entry.file_size();
  }
  return sum;
}

int convert(const ConvertFlags& flags) {
  const auto dtype = read_dtype(flags.dtype);
  check_output(flags);
  auto model = open_model(flags.input, {.config = flags.config, .ema = !flags.no_ema});
  settle_first_stage(flags, model);
  give_vocabulary(flags, model);
  if (!flags.allow_mismatch) check_weights(model, flags.input);
  write(flags, model, dtype);
  const auto bytes = size_of(flags.output);
  if (flags.json) {
    print_json({{"file", flags.output}, {"dtype", flags.dtype}, {"bytes", bytes}});
  } else {
    std::cout << flags.output << ": " << flags.dtype << ", " << bytes << " bytes\n";
  }
  return 0;
}

}  // namespace

void add_convert(CLI::App& app, Context& context) {
  auto* verb = add_verb(app, context, "convert", "writes a model in another layout or number format",
                        {{"ldm convert runs/diffusion/model.safetensors small.safetensors", "half the size"},
                         {"ldm convert sd-v1-4.ckpt sd.safetensors", "a checkpoint of the original"},
                         {"ldm convert model.ckpt m.safetensors --config model.yaml", "with its own YAML"},
                         {"ldm convert sd.safetensors sd --to diffusers", "a folder that diffusers reads"}});
  auto flags = std::make_shared<ConvertFlags>();
  verb->add_option("input", flags->input, "model file of any layout, or folder of diffusers")->required();
  verb->add_option("output", flags->output, "file or folder to write")->required();
  add_option(verb, "--to", flags->to, "ldm, original (with a YAML beside it) or diffusers (a folder)");
  add_option(verb, "--dtype", flags->dtype, "f32, f16 or bf16");
  verb->add_option("--first-stage", flags->first_stage,
                   "the first stage: a file beside the output; --to original and diffusers put it inside");
  verb->add_option("--config", flags->config, "the model's YAML, unless it lies beside under the same name");
  verb->add_option("--vocabulary", flags->vocabulary,
                   "vocab.txt of a BERT-style text encoder, for a model whose file holds none");
  verb->add_flag("--no-ema", flags->no_ema, "take the trained weights, not their averages");
  verb->add_flag("--allow-mismatch", flags->allow_mismatch, "write what is there even if it does not fit");
  verb->add_flag("--force", flags->force, "write over a file that is there");
  verb->add_flag("--json", flags->json, "print the result as JSON");
  set_run(verb, context, [flags] { return convert(*flags); });
}

}  // namespace ldm::cli
