#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "cli/output_files.h"
#include "cli/verb.h"
#include "ldm/core/log.h"
#include "ldm/pipeline/generator.h"
#include "ldm/pipeline/preview.h"

namespace ldm::cli {

// A file that shows how the pictures come along.
struct PreviewFlags {
  std::string file;     // Empty: none.
  std::string decoder;  // ENCODER,DECODER of a tiny autoencoder; empty: the colours of the latents.
};

// Into the section that is open.
void add_preview_options(CLI::App* verb, PreviewFlags& flags);

// Throws kUsage for another suffix than .png, and for a file that is there and no earlier preview.
void plan_preview(const PreviewFlags& flags, OutputFiles& files);

// Refreshes the file while pictures are drawn, at most twice a second; each time it is replaced as a whole.
// Where it cannot be written, drawing goes on all the same: the first time is a warning.
class PreviewFile {
 public:
  PreviewFile(const PreviewFlags& flags, const LatentDiffusion& model, OutputFiles& files, LogFn log);

  // Adds this listener to those in `hooks`, which must not outlive it.
  void listen(DrawHooks& hooks);

 private:
  void show(std::span<const Image> pictures);

  std::filesystem::path file_;
  Preview preview_;
  OutputFiles& files_;
  LogFn log_;  // Empty once it was warned.
  std::chrono::steady_clock::time_point shown_;
};

// Null where no preview is asked for. `files` has to outlive it.
std::unique_ptr<PreviewFile> open_preview(const PreviewFlags& flags, const LatentDiffusion& model,
                                          OutputFiles& files, LogFn log);

}  // namespace ldm::cli
