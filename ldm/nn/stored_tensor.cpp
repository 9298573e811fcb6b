#include "ldm/nn/stored_tensor.h"

#include <ATen/ATen.h>

#include <cstring>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

constexpr std::pair<DType, at::ScalarType> kStoredTypes[] = {{DType::kF64, at::kDouble},
                                                             {DType::kF32, at::kFloat},
                                                             {DType::kF16, at::kHalf},
                                                             {DType::kBF16, at::kBFloat16},
                                                             {DType::kI64, at::kLong},
                                                             {DType::kI32, at::kInt},
                                                             {DType::kI16, at::kShort},
                                                             {DType::kI8, at::kChar},
                                                             {DType::kU8, at::kByte},
                                                             {DType::kU16, at::kUInt16},
                                                             {DType::kU32, at::kUInt32},
                                                             {DType::kU64, at::kUInt64},
                                                             {DType::kBool, at::kBool},
                                                             {DType::kC64, at::kComplexFloat},
                                                             {DType::kF8E4M3, at::kFloat8_e4m3fn},
                                                             {DType::kF8E5M2, at::kFloat8_e5m2},
                                                             {DType::kF8E4M3FNUZ, at::kFloat8_e4m3fnuz},
                                                             {DType::kF8E5M2FNUZ, at::kFloat8_e5m2fnuz}};

}  // namespace

at::ScalarType scalar_type(DType dtype) {
  for (const auto& [ours, torch_type] : kStoredTypes) {
    if (ours == dtype) return torch_type;
  }
  fail(ErrorKind::kFormat, "tensors of type ", dtype_name(dtype), " are not supported");
}

DType dtype_of(at::ScalarType scalar_type) {
  for (const auto& [ours, torch_type] : kStoredTypes) {
    if (torch_type == scalar_type) return ours;
  }
  fail(ErrorKind::kUsage, "files cannot hold tensors of type ", at::toString(scalar_type));
}

torch::Tensor stored_tensor(const StridedEntry& entry, std::shared_ptr<const void> owner, Stored stored) {
  const auto options = at::TensorOptions().dtype(scalar_type(entry.dtype));
  const auto width = static_cast<uintptr_t>(dtype_bits(entry.dtype) / 8);
  if (entry.data.empty()) return at::empty_strided(entry.shape, entry.strides, options);
  const auto* data = entry.data.data();
  if (reinterpret_cast<uintptr_t>(data) % width != 0) {
    auto aligned = at::empty({static_cast<int64_t>(entry.data.size() / width)}, options);
    std::memcpy(aligned.data_ptr(), data, entry.data.size());
    return aligned.as_strided(entry.shape, entry.strides);
  }
  const auto release = [owner = std::move(owner), data, size = entry.data.size(), stored](void*) {
    if (stored == Stored::kMapped) MappedFile::give_back({data, size});
  };
  // from_blob wants a mutable pointer; the pages are mapped privately and nothing here writes to them.
  return at::from_blob(const_cast<std::byte*>(data), entry.shape, entry.strides, release, options);
}

}  // namespace ldm
