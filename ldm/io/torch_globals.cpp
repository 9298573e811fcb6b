#include "ldm/io/torch_globals.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ldm {
namespace {

constexpr std::pair<std::string_view, DType> kStorages[] = {
    {"DoubleStorage", DType::kF64},    {"FloatStorage", DType::kF32},        {"HalfStorage", DType::kF16},
    {"BFloat16Storage", DType::kBF16}, {"LongStorage", DType::kI64},         {"IntStorage", DType::kI32},
    {"ShortStorage", DType::kI16},     {"CharStorage", DType::kI8},          {"ByteStorage", DType::kU8},
    {"BoolStorage", DType::kBool},     {"ComplexFloatStorage", DType::kC64}, {"UntypedStorage", DType::kU8},
};

constexpr std::pair<std::string_view, std::string_view> kTensorGlobals[] = {
    {"collections", "OrderedDict"},
    {"torch", "Size"},
    {"torch", "device"},
    {"torch._utils", "_rebuild_tensor"},
    {"torch._utils", "_rebuild_tensor_v2"},
    {"torch._utils", "_rebuild_tensor_v3"},
    {"torch._utils", "_rebuild_parameter"},
    {"torch.storage", "UntypedStorage"},
    {"torch.nn.parameter", "Parameter"},
    {"torch.nn.modules.container", "ParameterDict"},
};

// Number types, as torch.float32 is pickled.
constexpr std::pair<std::string_view, DType> kNumberTypes[] = {
    {"float64", DType::kF64},        {"float32", DType::kF32},   {"float16", DType::kF16},
    {"bfloat16", DType::kBF16},      {"int64", DType::kI64},     {"int32", DType::kI32},
    {"int16", DType::kI16},          {"int8", DType::kI8},       {"uint8", DType::kU8},
    {"uint16", DType::kU16},         {"uint32", DType::kU32},    {"uint64", DType::kU64},
    {"bool", DType::kBool},          {"complex64", DType::kC64}, {"float8_e4m3fn", DType::kF8E4M3},
    {"float8_e5m2", DType::kF8E5M2},
};

// What training frameworks and their configurations leave in a checkpoint.
constexpr std::pair<std::string_view, std::string_view> kInertGlobals[] = {
    {"argparse", "Namespace"},
    {"collections", "Counter"},
    {"collections", "defaultdict"},
    {"typing", "Any"},
    {"_codecs", "encode"},
    {"numpy", "dtype"},
    {"numpy", "ndarray"},
    {"numpy.core.multiarray", "scalar"},
    {"numpy.core.multiarray", "_reconstruct"},
    {"numpy._core.multiarray", "scalar"},
    {"numpy._core.multiarray", "_reconstruct"},
};

// Plain types of Python, by the names of its versions 2 and 3.
constexpr std::string_view kBuiltins[] = {"set",   "frozenset", "dict", "list",  "tuple",     "int",
                                          "float", "bool",      "str",  "bytes", "bytearray", "complex"};

template <typename Table>
std::optional<DType> find_dtype(const Table& table, std::string_view name) {
  for (const auto& [text, dtype] : table) {
    if (text == name) return dtype;
  }
  return std::nullopt;
}

template <typename Range, typename Value>
bool contains(const Range& range, const Value& value) {
  return std::find(std::begin(range), std::end(range), value) != std::end(range);
}

bool is_under(std::string_view module, std::string_view package) {
  return module.substr(0, package.size()) == package &&
         (module.size() == package.size() || module[package.size()] == '.');
}

bool is_framework(std::string_view module) {
  return is_under(module, "pytorch_lightning") || is_under(module, "lightning") ||
         is_under(module, "lightning_fabric") || is_under(module, "omegaconf");
}

}  // namespace

bool is_checkpoint_global(std::string_view module, std::string_view name) {
  if (is_framework(module)) return true;
  if (module == "builtins" || module == "__builtin__") return contains(kBuiltins, name);
  if (module == "torch" && (storage_dtype(name) || number_dtype(name))) return true;
  return contains(kTensorGlobals, std::pair(module, name)) ||
         contains(kInertGlobals, std::pair(module, name));
}

bool is_foreign_global(std::string_view module) {
  return is_framework(module) || module == "argparse" || module == "typing";
}

std::optional<DType> number_dtype(std::string_view name) { return find_dtype(kNumberTypes, name); }

std::optional<DType> storage_dtype(std::string_view name) { return find_dtype(kStorages, name); }

}  // namespace ldm
