#include "ldm/io/torch_tree.h"

#include <map>
#include <unordered_set>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/printable.h"
#include "ldm/io/torch_globals.h"

namespace ldm {
namespace {

constexpr size_t kMaxValues = 1000, kMaxValueBytes = 200, kMaxNameBytes = 1000;

// "torch._utils", "_rebuild_tensor_v2"
std::pair<std::string_view, std::string_view> split_global(const PickleNode& global) {
  const size_t end = global.text.find('\n');
  return {global.text.substr(0, end), global.text.substr(end + 1)};
}

int64_t read_size(const PickleNode& node, std::string_view what) {
  check(node.type == PickleType::kInteger, ErrorKind::kFormat, "torch file: expected a whole number as ",
        what);
  return node.integer;
}

uint64_t read_count(const PickleNode& node, std::string_view what) {
  const int64_t count = read_size(node, what);
  check(count >= 0, ErrorKind::kFormat, "torch file: expected ", what, " >= 0, got ", count);
  return static_cast<uint64_t>(count);
}

// The tuple's members, of which there must be at least `least`.
const std::vector<PickleId>& tuple_items(const PickleNode& node, size_t least, std::string_view what) {
  check(node.type == PickleType::kTuple && node.items.size() >= least, ErrorKind::kFormat,
        "torch file: expected ", what, " to be a tuple of at least ", least);
  return node.items;
}

// The walk over the tree of one file.
class TorchTree {
 public:
  TorchTree(const Pickle& pickle, const FindStorage& find_storage, const TorchFileLimits& limits,
            TorchFile& out)
      : pickle_(pickle), find_storage_(find_storage), limits_(limits), out_(out) {}

  void walk() {
    walk("", pickle_[pickle_.root()], 0);
    uint64_t most = 0, total = 0;
    for (const auto& [key, bytes] : storage_bytes_) most += bytes;
    if (__builtin_mul_overflow(most, limits_.max_sharing, &most)) most = ~uint64_t{0};
    for (const auto& tensor : out_.tensors) {
      total += static_cast<uint64_t>(element_count(tensor.name, tensor.shape)) *
               static_cast<uint64_t>(dtype_bits(tensor.dtype) / 8);
      check(total <= most, ErrorKind::kFormat, "torch file: the tensors repeat their storages more than ",
            limits_.max_sharing, " times");
    }
  }

 private:
  void walk(const std::string& path, const PickleNode& node, size_t depth) {
    check(depth <= limits_.max_depth, ErrorKind::kFormat, "torch file: expected at most ", limits_.max_depth,
          " nested levels, got more at ", printable(path));
    check(++seen_ <= limits_.max_values, ErrorKind::kFormat, "torch file: more than ", limits_.max_values,
          " values");
    switch (node.type) {
      case PickleType::kDict:
        return walk_dict(path, node, depth);
      case PickleType::kList:
      case PickleType::kTuple:
        return walk_list(path, node, depth);
      case PickleType::kObject:
        return walk_object(path, node, depth);
      case PickleType::kGlobal:
        return note_foreign(node);
      case PickleType::kPersistent:
        read_storage_id(pickle_, node);  // A storage without a tensor, which must at least be one.
        return;
      default:
        return;
    }
  }

  void walk_dict(const std::string& path, const PickleNode& dict, size_t depth) {
    for (size_t i = 0; i < dict.items.size(); i += 2) {
      const auto& key = pickle_[dict.items[i]];
      const auto& value = pickle_[dict.items[i + 1]];
      if (key.type == PickleType::kGlobal) note_foreign(key);
      const std::string name = join(path, key_text(key));
      note_value(name, value);
      walk(name, value, depth + 1);
    }
  }

  void walk_list(const std::string& path, const PickleNode& list, size_t depth) {
    for (size_t i = 0; i < list.items.size(); ++i) {
      const auto& item = pickle_[list.items[i]];
      if (item.type <= PickleType::kText) {  // Numbers and texts of lists are nobody's business.
        ++seen_;
        continue;
      }
      walk(join(path, std::to_string(i)), item, depth + 1);
    }
  }

  void walk_object(const std::string& path, const PickleNode& object, size_t depth) {
    const auto [module, name] = split_global(pickle_[object.items[0]]);
    if (module == "torch._utils") {
      add_tensor(path, object);
    } else if (name == "ParameterDict") {
      walk_parameters(path, object, depth);
    } else {
      note_foreign(pickle_[object.items[0]]);
    }
  }

  // A ParameterDict, as old files of textual inversion have, is the dictionary of its parameters.
  void walk_parameters(const std::string& path, const PickleNode& object, size_t depth) {
    for (size_t i = 2; i < object.items.size(); ++i) {
      const auto& state = pickle_[object.items[i]];
      const auto* parameters = state.type == PickleType::kDict ? pickle_.find(state, "_parameters") : nullptr;
      if (parameters != nullptr) walk(path, *parameters, depth + 1);
    }
  }

  static std::string join(const std::string& path, const std::string& name) {
    check(path.size() + name.size() < kMaxNameBytes, ErrorKind::kFormat, "torch file: the name ",
          printable(path + "." + name), " is too long");
    return path.empty() ? name : path + "." + name;
  }

  // A class can be a key: Lightning keeps the states of callbacks so.
  static std::string key_text(const PickleNode& key) {
    if (key.type == PickleType::kText) return std::string(key.text);
    if (key.type == PickleType::kInteger) return std::to_string(key.integer);
    if (key.type != PickleType::kGlobal) return "?";
    const auto [module, name] = split_global(key);
    return "<" + std::string(module) + "." + std::string(name) + ">";
  }

  void note_foreign(const PickleNode& global) {
    const auto [module, name] = split_global(global);
    if (is_foreign_global(module)) out_.foreign.insert(std::string(module) + "." + std::string(name));
  }

  void note_value(const std::string& path, const PickleNode& value) {
    if (out_.values.size() >= kMaxValues) return;
    switch (value.type) {
      case PickleType::kBool:
        out_.values[path] = value.integer != 0 ? "true" : "false";
        break;
      case PickleType::kInteger:
        out_.values[path] = std::to_string(value.integer);
        break;
      case PickleType::kNumber:
        out_.values[path] = std::to_string(value.number);
        break;
      case PickleType::kText:
        out_.values[path] = std::string(value.text.substr(0, kMaxValueBytes));
        break;
      default:
        break;
    }
  }

  // _rebuild_parameter(tensor, ...), or _rebuild_tensor*(storage, offset, size, stride, ...).
  void add_tensor(const std::string& path, const PickleNode& object) {
    const auto name = split_global(pickle_[object.items[0]]).second;
    const auto& arguments = tuple_items(pickle_[object.items[1]], 1, "a tensor's arguments");
    if (name == "_rebuild_parameter") {
      const auto& inner = pickle_[arguments[0]];
      check(inner.type == PickleType::kObject &&
                split_global(pickle_[inner.items[0]]).second != "_rebuild_parameter" &&
                split_global(pickle_[inner.items[0]]).first == "torch._utils",
            ErrorKind::kFormat, "torch file: ", printable(path), ": expected a parameter to hold a tensor");
      return add_tensor(path, inner);
    }
    tuple_items(pickle_[object.items[1]], name == "_rebuild_tensor_v3" ? 7 : 4, "a tensor's arguments");
    check(pickle_[arguments[0]].type == PickleType::kPersistent, ErrorKind::kFormat,
          "torch file: ", printable(path), ": expected a storage");
    const StorageId id = read_storage_id(pickle_, pickle_[arguments[0]]);
    StridedEntry tensor{
        path, id.dtype, read_sizes(pickle_[arguments[2]]), read_sizes(pickle_[arguments[3]]), {}};
    if (name == "_rebuild_tensor_v3") tensor.dtype = read_dtype(pickle_[arguments[6]]);
    tensor.data = view_of(tensor, id, read_count(pickle_[arguments[1]], "a tensor's offset"));
    check(names_.insert(path).second, ErrorKind::kFormat, "torch file: the name ", printable(path),
          " is there twice");
    out_.tensors.push_back(std::move(tensor));
  }

  // The bytes from the tensor's first element to its last.
  std::span<const std::byte> view_of(const StridedEntry& tensor, const StorageId& id, uint64_t offset) {
    const auto bytes = find_storage_(id);
    storage_bytes_[id.key] = bytes.size();
    const auto itemsize = static_cast<uint64_t>(dtype_bits(tensor.dtype) / 8);
    const auto storage_itemsize = static_cast<uint64_t>(dtype_bits(id.dtype) / 8);
    const auto part = bytes.subspan(id.view_offset * storage_itemsize, id.view_elements * storage_itemsize);
    const uint64_t room = part.size() / itemsize;
    const auto extent = static_cast<uint64_t>(view_extent(tensor.name, tensor.shape, tensor.strides));
    check(offset <= room && extent <= room - offset, ErrorKind::kFormat, "tensor ", printable(tensor.name),
          ": expected it inside its storage of ", room, " elements, got offset ", offset, " and ", extent,
          " elements");
    const auto count = static_cast<uint64_t>(element_count(tensor.name, tensor.shape));
    check(count <= room, ErrorKind::kFormat, "tensor ", printable(tensor.name), ": expected at most the ",
          room, " elements of its storage, got ", count);
    return part.subspan(offset * itemsize, extent * itemsize);
  }

  std::vector<int64_t> read_sizes(const PickleNode& node) const {
    const PickleNode* sizes = &node;
    if (node.type == PickleType::kObject && pickle_[node.items[0]].text == "torch\nSize")
      sizes = &pickle_[tuple_items(pickle_[node.items[1]], 1, "a size's arguments")[0]];
    const auto& items = tuple_items(*sizes, 0, "a size");
    check(items.size() <= 32, ErrorKind::kFormat, "torch file: expected at most 32 dimensions, got ",
          items.size());
    std::vector<int64_t> out;
    for (const PickleId item : items) out.push_back(read_size(pickle_[item], "a size or a stride"));
    return out;
  }

  DType read_dtype(const PickleNode& node) const {
    check(node.type == PickleType::kGlobal, ErrorKind::kFormat, "torch file: expected a number type");
    const auto dtype = number_dtype(split_global(node).second);
    check(dtype.has_value(), ErrorKind::kFormat, "torch file: expected a number type, got ",
          printable(node.text));
    return *dtype;
  }

  const Pickle& pickle_;
  const FindStorage& find_storage_;
  const TorchFileLimits& limits_;
  TorchFile& out_;
  uint64_t seen_ = 0;
  std::unordered_set<std::string> names_;
  std::map<std::string_view, uint64_t> storage_bytes_;
};

}  // namespace

StorageId read_storage_id(const Pickle& pickle, const PickleNode& persistent) {
  const auto& items = tuple_items(pickle[persistent.items[0]], 5, "a persistent id");
  const auto& kind = pickle[items[0]];
  const auto& type = pickle[items[1]];
  const auto& key = pickle[items[2]];
  check(kind.type == PickleType::kText && kind.text == "storage" && type.type == PickleType::kGlobal &&
            key.type == PickleType::kText,
        ErrorKind::kFormat, "torch file: expected a persistent id to name a storage");
  const auto dtype = storage_dtype(split_global(type).second);
  check(dtype.has_value(), ErrorKind::kFormat, "torch file: expected a class of storage, got ",
        printable(type.text));
  StorageId id{
      .key = key.text, .dtype = *dtype, .elements = read_count(pickle[items[4]], "a storage's elements")};
  check(!__builtin_mul_overflow(id.elements, static_cast<uint64_t>(dtype_bits(*dtype) / 8), &id.bytes),
        ErrorKind::kFormat, "torch file: storage ", printable(id.key), ": its size overflows");
  id.view_elements = id.elements;
  if (items.size() > 5 && pickle[items[5]].type == PickleType::kTuple) {
    const auto& view = tuple_items(pickle[items[5]], 3, "a storage's view");
    id.view_offset = read_count(pickle[view[1]], "a view's offset");
    id.view_elements = read_count(pickle[view[2]], "a view's elements");
    check(id.view_offset <= id.elements && id.view_elements <= id.elements - id.view_offset,
          ErrorKind::kFormat, "torch file: storage ", printable(id.key), ": expected its view inside its ",
          id.elements, " elements");
  }
  return id;
}

void read_torch_tree(const Pickle& pickle, const FindStorage& find_storage, const TorchFileLimits& limits,
                     TorchFile& out) {
  TorchTree(pickle, find_storage, limits, out).walk();
}

}  // namespace ldm
