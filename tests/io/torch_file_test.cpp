#include "ldm/io/torch_file.h"

#include <gtest/gtest.h>

#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/io/zip.h"
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

// As files of textual inversion before PyTorch 1.12 have one.
TEST(TorchFile, AParameterDictIsItsParameters) {
  const std::string state = "}" + pickle_text("training") + "\x88s" + pickle_text("_parameters") + "}" +
                            pickle_text("*") + pickle_tensor({}) + "ss";
  const std::string object =
      pickle_global("torch.nn.modules.container", "ParameterDict") + ")\x81" + state + "b";
  const auto bytes = make_torch_zip("\x80\x02}" + pickle_text("string_to_param") + object + "s.");
  const auto file = parse_torch_file(as_bytes(bytes));
  ASSERT_EQ(file.tensors.size(), 1U);
  EXPECT_EQ(file.tensors[0].name, "string_to_param.*");
}

// Tensors are not read twice to compare their checksums; whoever reads everything can.
TEST(TorchFile, ChecksumsOfStoredTensors) {
  const auto pickle = pickle_checkpoint(pickle_tensor({}));
  const auto zip = [&](int64_t crc) {
    return make_zip({{.name = "m/data.pkl", .content = pickle, .claimed_crc = crc == 0 ? 0 : -1},
                     {.name = "m/data/0", .content = six_floats(), .claimed_crc = crc}});
  };
  for (const int64_t crc : {-1, 0, 1}) {
    const auto bytes = zip(crc);
    EXPECT_EQ(parse_torch_file(as_bytes(bytes)).tensors.size(), 1U);
    const ZipArchive archive(as_bytes(bytes));
    if (crc == 1) {
      EXPECT_THROW(check_zip_content(archive), Error);
    } else {
      EXPECT_NO_THROW(check_zip_content(archive)) << "0: written without checksums";
    }
  }
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
