#include "ldm/io/torch_file.h"

#include <gtest/gtest.h>

#include "ldm/io/file.h"
#include "tests/io/file_builders.h"

namespace ldm {
namespace {

using namespace testing;

// [6] floats, of which the tensor sees a transposed part.
const PickledTensor kTransposed{.offset = 1, .shape = {2, 2}, .strides = {1, 3}};

TEST(TorchFile, NamesShapesAndBytes) {
  const std::string pickle = pickle_checkpoint(pickle_tensor(kTransposed));
  for (const auto& bytes : {make_torch_zip(pickle), make_torch_legacy(pickle)}) {
    const auto file = parse_torch_file(as_bytes(bytes));
    ASSERT_EQ(file.tensors.size(), 1U);
    const auto& tensor = file.tensors[0];
    EXPECT_EQ(tensor.name, "state_dict.a");
    EXPECT_EQ(tensor.dtype, DType::kF32);
    EXPECT_EQ(tensor.shape, (std::vector<int64_t>{2, 2}));
    EXPECT_EQ(tensor.strides, (std::vector<int64_t>{1, 3}));
    EXPECT_EQ(as_text(tensor.data), six_floats().substr(4, 20));  // 1, 2, 3, 4, 5
    EXPECT_EQ(file.values.at("global_step"), "7");
    EXPECT_EQ(file.legacy, bytes[0] != 'P');
  }
}

TEST(TorchFile, ForeignClassesAreInert) {
  const std::string object = pickle_global("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint");
  const std::string called = object + ")\x81}b";
  const auto bytes = make_torch_zip("\x80\x02}(" + object + called + pickle_text("set") +
                                    pickle_global("__builtin__", "set") +
                                    "](K\x01"
                                    "e\x85R" +
                                    pickle_text("w") + pickle_tensor({}) + "u.");
  const auto file = parse_torch_file(as_bytes(bytes));
  EXPECT_EQ(file.foreign,
            std::set<std::string>{"pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint"});
  ASSERT_EQ(file.tensors.size(), 1U);
  EXPECT_EQ(file.tensors[0].name, "w");
}

TEST(TorchFile, CompressedStoragesOutliveTheBytes) {
  std::string bytes =
      make_zip({{.name = "m/data.pkl", .content = pickle_checkpoint(pickle_tensor({})), .deflate = true},
                {.name = "m/data/0", .content = six_floats(), .deflate = true}});
  const auto file = parse_torch_file(as_bytes(bytes));
  bytes.assign(bytes.size(), 'x');
  EXPECT_EQ(as_text(file.tensors.at(0).data), six_floats());
}

// Some writers pad whole numbers: 7 in nine bytes.
TEST(TorchFile, PaddedWholeNumbers) {
  const std::string seven("\x8a\x09\x07\0\0\0\0\0\0\0\0", 11);
  const auto bytes = make_torch_zip("\x80\x02}(" + pickle_text("step") + seven + pickle_text("w") +
                                    pickle_tensor({}) + "u.");
  EXPECT_EQ(parse_torch_file(as_bytes(bytes)).values.at("step"), "7");
}

TEST(TorchFile, TheRefusalNamesTheGlobal) {
  const auto bytes =
      make_torch_zip(pickle_checkpoint(pickle_global("os", "system") + "(" + pickle_text("true") + "tR"));
  try {
    parse_torch_file(as_bytes(bytes));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("os.system"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace ldm
