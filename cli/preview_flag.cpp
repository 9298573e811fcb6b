#include "cli/preview_flag.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/output.h"
#include "ldm/core/error.h"
#include "ldm/image/decode.h"
#include "ldm/image/grid.h"
#include "ldm/image/png.h"
#include "ldm/io/file.h"
#include "ldm/model/load_model.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr char kPreviewKeyword[] = "Comment";
constexpr char kPreviewMark[] = "preview of ldm: written over while pictures are drawn";

// Whether an earlier run left it.
bool is_preview(const fs::path& file) {
  try {
    const MappedFile mapped(file);
    return sniff_image(mapped.bytes()) == ImageFormat::kPng &&
           find_text(read_png_text(mapped.bytes()), kPreviewKeyword) == kPreviewMark;
  } catch (const Error&) {  // Not there, or broken.
    return false;
  }
}

std::shared_ptr<const FirstStage> open_decoder(const std::string& files, const LatentDiffusion& model) {
  if (files.empty()) return nullptr;
  const auto decoder = load_first_stage(files);
  decoder->to(model.device());
  return decoder;
}

}  // namespace

void add_preview_options(CLI::App* verb, PreviewFlags& flags) {
  verb->add_option("--preview", flags.file, "a .png that shows, twice a second, how the pictures come along");
  add_file_option(verb, "--preview-decoder", flags.decoder,
                  "ENCODER,DECODER of a tiny autoencoder for it; without it the latents' colours");
}

void plan_preview(const PreviewFlags& flags, OutputFiles& files) {
  check(flags.decoder.empty() || !flags.file.empty(), "--preview-decoder: expected --preview with it");
  if (flags.file.empty()) return;
  const fs::path file = flags.file;
  check(lower_suffix(file) == ".png", "--preview: expected a name that ends in .png, got '", flags.file, "'");
  files.plan(file, "--preview", is_preview(file));
}

PreviewFile::PreviewFile(const PreviewFlags& flags, const LatentDiffusion& model, OutputFiles& files,
                         LogFn log)
    : file_(flags.file),
      preview_(model, open_decoder(flags.decoder, model)),
      files_(files),
      log_(std::move(log)) {}

void PreviewFile::listen(DrawHooks& hooks) {
  hooks.estimate = [this, next = std::move(hooks.estimate)](const torch::Tensor& latents) {
    if (next) next(latents);
    if (std::chrono::steady_clock::now() - shown_ < 500ms) return;
    show(preview_.pictures(latents));
  };
  hooks.finished = [this, next = std::move(hooks.finished)](int64_t first,
                                                            std::span<const GeneratedImage> images) {
    if (next) next(first, images);
    std::vector<Image> pictures;
    for (const auto& image : images) pictures.push_back(image.image);
    show(pictures);
  };
}

void PreviewFile::show(std::span<const Image> pictures) {
  shown_ = std::chrono::steady_clock::now();
  const auto picture = pictures.size() == 1 ? pictures[0] : make_grid(pictures);
  try {
    files_.write(file_, encode_png(picture, {{kPreviewKeyword, kPreviewMark}}));
  } catch (const Error& error) {
    log_warning(log_, std::string("--preview: ") + error.what() + "; drawing goes on");
    log_ = {};
  }
}

std::unique_ptr<PreviewFile> open_preview(const PreviewFlags& flags, const LatentDiffusion& model,
                                          OutputFiles& files, LogFn log) {
  return flags.file.empty() ? nullptr : std::make_unique<PreviewFile>(flags, model, files, std::move(log));
}

}  // namespace ldm::cli
