#include "ldm/io/strided.h"

#include <algorithm>

#include "ldm/io/printable.h"

namespace ldm {

std::vector<int64_t> row_major_strides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= std::max<int64_t>(shape[i], 1);
  }
  return strides;
}

int64_t element_count(std::string_view name, const std::vector<int64_t>& shape) {
  int64_t count = 1;
  bool empty = false;
  for (const int64_t size : shape) {
    check(size >= 0, ErrorKind::kFormat, "tensor ", printable(name), ": expected sizes >= 0, got ", size);
    empty = empty || size == 0;
    check(!__builtin_mul_overflow(count, std::max<int64_t>(size, 1), &count), ErrorKind::kFormat, "tensor ",
          printable(name), ": the product of the shape overflows");
  }
  return empty ? 0 : count;
}

int64_t view_extent(std::string_view name, const std::vector<int64_t>& shape,
                    const std::vector<int64_t>& strides) {
  check(shape.size() == strides.size(), ErrorKind::kFormat, "tensor ", printable(name), ": expected ",
        shape.size(), " strides, got ", strides.size());
  const bool empty = element_count(name, shape) == 0;
  int64_t last = 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    check(strides[i] >= 0, ErrorKind::kFormat, "tensor ", printable(name), ": expected strides >= 0, got ",
          strides[i]);
    int64_t reach = 0;
    const bool fits = !__builtin_mul_overflow(std::max<int64_t>(shape[i], 1) - 1, strides[i], &reach) &&
                      !__builtin_add_overflow(last, reach, &last);
    check(fits, ErrorKind::kFormat, "tensor ", printable(name), ": its strides reach too far");
  }
  check(!__builtin_add_overflow(last, 1, &last), ErrorKind::kFormat, "tensor ", printable(name),
        ": its strides reach too far");
  return empty ? 0 : last;
}

}  // namespace ldm
