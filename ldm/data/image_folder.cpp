#include "ldm/data/image_folder.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "ldm/core/crc32c.h"
#include "ldm/core/error.h"
#include "ldm/core/sha256.h"
#include "ldm/core/stopped.h"
#include "ldm/data/folder_index.h"
#include "ldm/image/decode.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxSide = 4096;
constexpr int64_t kMaxSubstitutes = 100;  // Broken pictures in a row that are passed over.

// Decodes on demand.
class FileDataset : public Dataset {
 public:
  FileDataset(fs::path folder, std::vector<ExampleInfo> examples, int64_t side, Filter filter)
      : folder_(std::move(folder)), examples_(std::move(examples)), side_(side), filter_(filter) {}

  int64_t size() const override { return static_cast<int64_t>(examples_.size()); }
  const ExampleInfo& info(int64_t index) const override {
    check(index >= 0 && index < size(), "ImageFolder: expected an index below ", size(), ", got ", index);
    return examples_[static_cast<size_t>(index)];
  }

  Example get(int64_t index) const override {
    info(index);  // Refuses what lies outside.
    for (int64_t tries = 0;; ++tries) {
      const ExampleInfo& found = info((index + tries) % size());
      try {
        return {found, decode(found)};
      } catch (const Error& error) {
        check(tries + 1 < std::min(size(), kMaxSubstitutes), ErrorKind::kData, "ImageFolder: ", tries + 1,
              " pictures in a row cannot be read; the last: ", error.what());
      }
    }
  }

  torch::Tensor decode(const ExampleInfo& example) const {
    return decode_example(MappedFile(folder_ / example.id).bytes(), side_, filter_);
  }

  std::string fingerprint() const override {
    Sha256 hash;
    const auto add = [&](const std::string& text) { hash.update(as_bytes(text + "\n")); };
    add(std::to_string(side_) + " " + std::to_string(static_cast<int>(filter_)));
    for (const ExampleInfo& example : examples_) {
      add(example.id);
      add(std::to_string(crc32c(MappedFile(folder_ / example.id).bytes())));
    }
    return hash.hex();
  }

 private:
  fs::path folder_;
  std::vector<ExampleInfo> examples_;
  int64_t side_;
  Filter filter_;
};

DatasetPtr load_all(const FileDataset& files, std::vector<std::string>& skipped, const ProgressFn& progress,
                    const StopToken& stop) {
  std::vector<Example> examples;
  for (int64_t i = 0; i < files.size(); ++i) {
    check_stop(stop, "open_image_folder: stopped after ", i, " pictures");
    const ExampleInfo& info = files.info(i);
    try {
      examples.push_back({info, files.decode(info)});
    } catch (const Error& error) {
      skipped.push_back(info.id + ": " + error.what());
    }
    report(progress, {"reading pictures", i + 1, files.size(), {}, "images"});
  }
  return make_memory_dataset(std::move(examples));
}

void check_folder_options(const ImageFolderOptions& options) {
  check(options.size >= 1 && options.size <= kMaxSide, "open_image_folder: expected a size of 1 to ",
        kMaxSide, " pixels, got ", options.size);
  check(options.memory_mb >= 0, "open_image_folder: expected memory_mb >= 0, got ", options.memory_mb);
}

void tell_skipped(const std::vector<std::string>& skipped, const LogFn& log) {
  constexpr size_t kShown = 5;
  for (size_t i = 0; i < std::min(skipped.size(), kShown); ++i) log_warning(log, "skipped " + skipped[i]);
  if (skipped.size() > kShown) {
    log_warning(log, "skipped " + std::to_string(skipped.size()) + " pictures in all that cannot be used");
  }
}

const char* nothing_found(const std::filesystem::path& folder, const FolderIndex& index) {
  if (!index.missing.empty()) return "none of those that metadata.jsonl names";
  std::error_code error;
  return std::filesystem::exists(folder / "metadata.jsonl", error) ? "a metadata.jsonl that names none"
                                                                   : "none";
}

}  // namespace

torch::Tensor decode_example(std::span<const std::byte> bytes, int64_t size, Filter filter) {
  Image image = centre_crop_square(to_rgb(decode_image(bytes)));
  if (image.width != size) image = resize(image, size, size, filter);
  torch::Tensor out = at::empty({3, size, size}, at::kByte);
  uint8_t* planes = out.mutable_data_ptr<uint8_t>();
  const int64_t area = size * size;
  for (int64_t i = 0; i < area; ++i) {
    for (int64_t c = 0; c < 3; ++c) planes[c * area + i] = image.pixels[static_cast<size_t>(3 * i + c)];
  }
  return out;
}

ImageFolder open_image_folder(const ImageFolderOptions& options, const LogFn& log, const ProgressFn& progress,
                              const StopToken& stop) {
  check_folder_options(options);
  const Filter filter = parse_filter(options.filter);
  FolderIndex index = index_folder(options.path);
  check(!index.examples.empty(), ErrorKind::kData, "expected pictures (png, jpg, webp, bmp) in ",
        options.path, ", found ", nothing_found(options.path, index),
        "; hint: the path must be the folder that holds them");

  ImageFolder out;
  out.classes = std::move(index.classes);
  out.skipped = std::move(index.missing);
  auto files = std::make_shared<FileDataset>(options.path, std::move(index.examples), options.size, filter);
  const int64_t bytes = files->size() * 3 * options.size * options.size;
  out.in_memory = bytes <= options.memory_mb * (int64_t{1} << 20);
  out.dataset = out.in_memory ? load_all(*files, out.skipped, progress, stop) : files;
  check(out.dataset->size() > 0, ErrorKind::kData, "open_image_folder: none of the ", files->size(),
        " pictures in ", options.path,
        " can be read; the first: ", out.skipped.empty() ? "" : out.skipped.front());
  tell_skipped(out.skipped, log);
  return out;
}

}  // namespace ldm
