#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ldm/core/log.h"
#include "ldm/core/progress.h"
#include "ldm/core/stop.h"
#include "ldm/data/dataset.h"
#include "ldm/image/resample.h"

namespace ldm {

struct ImageFolderOptions {
  std::string path;                // The folder; see index_folder for its three forms.
  int64_t size = 64;               // Side of the pictures in pixels.
  std::string filter = "bicubic";  // How they are resized; see parse_filter.
  int64_t memory_mb =
      4096;  // Decoded pictures are kept in memory if they need at most so many MiB; 0: never.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("path", path, "folder of pictures");
    visit("size", size, "side of the pictures in pixels");
    visit("filter", filter, "nearest, box, bilinear, hamming, bicubic or lanczos");
    visit("memory_mb", memory_mb, "keep decoded pictures in memory if they need at most so many MiB");
  }
};

struct ImageFolder {
  DatasetPtr dataset;
  std::vector<std::string> classes;  // Names of the labels; empty without class folders.
  std::vector<std::string> skipped;  // Pictures that cannot be used, as "path: reason"; not in the data set.
  bool in_memory = false;
};

// Opens a folder of pictures. A set that fits into memory is decoded here; broken files are left out, listed
// in `skipped` and told to `log`. Of a larger set every picture is decoded when it is asked for, and a broken
// one gives the next whole one in its place. Throws kUsage for bad options, kData for a wrong path, a folder
// without pictures or without a usable one; kFormat for broken metadata; Stopped on a stop.
ImageFolder open_image_folder(const ImageFolderOptions& options, const LogFn& log = {},
                              const ProgressFn& progress = {}, const StopToken& stop = {});

// One picture as the data set gives it: decoded, over white, the largest centred square, resized with
// antialiasing; [3, size, size] uint8. Throws kFormat.
torch::Tensor decode_example(std::span<const std::byte> bytes, int64_t size, Filter filter);

}  // namespace ldm
