#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace ldm {

// A value of a pickle is a number: the index of its node. Values may be shared and, in hostile files, may
// contain themselves, so who walks over them needs a limit of depth and of steps.
using PickleId = uint32_t;

enum class PickleType : uint8_t {
  kNone,
  kBool,        // integer 0 or 1.
  kInteger,     // integer
  kBigInteger,  // text: its two's complement bytes, little-endian.
  kNumber,      // number
  kText,        // text, as the file has it; UTF-8 in proper files.
  kList,        // items
  kTuple,       // items
  kSet,         // items
  kDict,        // items: key, value, key, value, ...
  kGlobal,      // text: module and name, "torch FloatStorage". Nothing but this name.
  kPersistent,  // items[0]: a persistent id; what it means is up to the reader.
  kObject,      // items[0]: the global that would have been called or made; items[1]: its arguments; then
                // the states that it would have been given. Nothing was called.
};

struct PickleNode {
  PickleType type = PickleType::kNone;
  int64_t integer = 0;
  double number = 0;
  std::string_view text;  // Points into the parsed bytes, or at a constant.
  std::vector<PickleId> items;
};

struct PickleLimits {
  uint64_t max_bytes = 256 << 20;
  uint64_t max_nodes = 4'000'000;
  uint64_t max_memo = 4'000'000;  // Highest memo index.
  size_t max_marks = 1000;        // Unclosed MARKs.
};

// Whether a global may be in a file. It is never looked up or called in any case.
using AllowGlobal = std::function<bool(std::string_view module, std::string_view name)>;

// A pickle as a tree of plain values.
class Pickle {
 public:
  const PickleNode& operator[](PickleId id) const { return nodes_[id]; }
  size_t size() const { return nodes_.size(); }
  PickleId root() const { return root_; }
  uint64_t bytes() const { return bytes_; }  // How many the pickle took.
  // Value of a text key in a dictionary (also of an OrderedDict); null if there is none.
  const PickleNode* find(const PickleNode& dict, std::string_view key) const;

 private:
  friend class PickleMachine;
  std::vector<PickleNode> nodes_;
  PickleId root_ = 0;
  uint64_t bytes_ = 0;
};

// Reads the pickle that begins at the first byte; what follows its STOP is the caller's. Nothing in it is
// ever executed: REDUCE, NEWOBJ and BUILD only make kObject nodes, OrderedDict() a kDict. Only the opcodes
// that torch.save writes (protocol 2) are known, any other refuses the file, as does a global that `allow`
// does not like. Throws kFormat.
// Source: Python's pickletools; torch/_weights_only_unpickler.py for the choice of opcodes.
Pickle parse_pickle(std::span<const std::byte> bytes, const AllowGlobal& allow,
                    const PickleLimits& limits = {});

}  // namespace ldm
