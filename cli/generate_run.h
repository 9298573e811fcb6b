#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/output_files.h"
#include "cli/preview_flag.h"
#include "ldm/image/recipe.h"
#include "ldm/pipeline/generator.h"

namespace ldm::cli {

// One prompt and the files of its pictures; of a grid one file.
struct PromptJob {
  std::string prompt;
  std::vector<std::filesystem::path> names;
};

// How finished pictures are written.
struct PictureStyle {
  bool grid = false;  // All of a job in one file.
  bool recipe = true;
  int64_t quality = 90;  // Of JPEG and WebP.
};

// Draws the jobs of one run and writes what is finished at once.
class GenerateRun {
 public:
  // preview may be null. All have to outlive it.
  GenerateRun(const GenerateRequest& request, const PictureStyle& style, const Generator& generator,
              const Recipe& recipe, OutputFiles& files, PreviewFile* preview, const Context& context);

  // Whether all pictures of all jobs were finished; a stop request ends it before. What it throws may come
  // when some are written.
  bool draw(const std::vector<PromptJob>& jobs);

  // The files so far, each with its seed, prompt, size and seconds.
  const nlohmann::ordered_json& written() const { return written_; }

 private:
  bool draw_job(const PromptJob& job);
  void write(const PromptJob& job, size_t k, const Image& picture, const Recipe& recipe, uint64_t seed,
             double seconds);
  double seconds_since_last();

  const GenerateRequest& request_;
  const PictureStyle style_;
  const Generator& generator_;
  const Recipe& recipe_;
  OutputFiles& files_;
  PreviewFile* preview_;
  const Context& context_;
  double finished_s_ = 0;
  nlohmann::ordered_json written_ = nlohmann::ordered_json::array();
};

}  // namespace ldm::cli
