#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/io/pickle.h"
#include "ldm/io/strided.h"

namespace ldm {

struct TorchFileLimits {
  size_t max_depth = 64;            // Levels of dictionaries, lists and tuples.
  uint64_t max_values = 2'000'000;  // Values seen while walking; shared ones count each time.
  // The tensors together may have so many times the bytes of the storages: weights may be shared, but not
  // repeated without end.
  uint64_t max_sharing = 8;
};

// What a file of torch.save holds, as plain values: nothing in it was executed.
struct TorchFile {
  bool legacy = false;  // The stream of torch.save before 1.6; otherwise the zip form.
  // Every tensor by the path of its keys joined with dots: "state_dict.model.diffusion_model.out.2.bias",
  // "optimizer_states.0.state.3.exp_avg". In the order of the file; names are distinct.
  std::vector<StridedEntry> tensors;
  // Numbers and short texts, by path: {"global_step", "41230"}. At most 1000.
  std::map<std::string, std::string> values;
  // Classes of training frameworks that the file names, "pytorch_lightning.callbacks...". Inert.
  std::set<std::string> foreign;
  // Owns what had to be decompressed; the rest of the data points into what was parsed.
  std::vector<std::shared_ptr<const std::vector<std::byte>>> storages;
};

// Whether the bytes look like a file of torch.save: a zip archive or a pickle, of any protocol.
bool is_torch_file(std::span<const std::byte> bytes);

// Reads .ckpt, .pt, .pth and .bin files in zip form or as the older stream. Every storage has exactly the
// bytes that its type and number of elements need, and every tensor lies inside its storage. Globals other
// than those of tensors and of training frameworks refuse the file, as do big-endian files, sparse and
// quantised tensors and TorchScript. Throws kFormat.
// Source: torch/serialization.py (2.x), torch/_utils.py (_rebuild_tensor_v2).
TorchFile parse_torch_file(std::span<const std::byte> bytes, const TorchFileLimits& limits = {});

}  // namespace ldm
