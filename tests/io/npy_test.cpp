#include "ldm/io/npy.h"

#include <gtest/gtest.h>

#include "ldm/io/file.h"
#include "tests/io/file_builders.h"

namespace ldm {
namespace {

TEST(Npy, FortranOrderIsInTheStrides) {
  const auto bytes = testing::make_npy("{'shape': (2, 3), 'descr': '<f4', 'fortran_order': True}\n",
                                       testing::six_floats(), 2);
  const auto array = parse_npy(as_bytes(bytes), "x");
  EXPECT_EQ(array.strides, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(array.dtype, DType::kF32);
}

TEST(Npy, Scalars) {
  const auto bytes = testing::make_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (), }\n", "\x07");
  EXPECT_TRUE(parse_npy(as_bytes(bytes)).shape.empty());
}

TEST(Npz, StoredAndCompressed) {
  for (const bool deflate : {false, true}) {
    const auto bytes = testing::good_npz(deflate);
    const auto file = parse_npz(as_bytes(bytes));
    EXPECT_EQ(file.at("mu").shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(as_text(file.at("mu").data), testing::six_floats());
    EXPECT_THROW(file.at("sigma"), Error);
  }
}

}  // namespace
}  // namespace ldm
