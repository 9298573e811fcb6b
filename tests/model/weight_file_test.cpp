#include "ldm/model/weight_file.h"

#include <ATen/ATen.h>

#include <filesystem>

#include "ldm/io/file.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

// Whose header's length of 640 bytes begins as a pickle of protocol 2 does: 80 02.
TEST(WeightFile, ASafetensorsFileThatBeginsAsAPickleIsNone) {
  const TemporaryFolder folder;
  const auto path = folder / "x.safetensors";
  std::string begin;
  for (size_t padding = 480; padding < 640 && !begin.starts_with("\x80\x02"); padding += 4) {
    write_tensor_file(path, {{"a", at::ones({2})}}, {{"note", std::string(padding, 'x')}});
    begin = read_text(path).substr(0, 2);
  }
  ASSERT_EQ(begin, "\x80\x02");
  const auto file = read_weight_file(path);
  EXPECT_EQ(to_string(file.form), "safetensors");
  EXPECT_TRUE(at::equal(file.tensors.at("a"), at::ones({2})));
}

TEST(WeightFile, OtherFilesAndOtherPicklesAreNamed) {
  const TemporaryFolder folder;
  const auto error = [&](std::string_view content) {
    write_file_atomic(folder / "x", content);
    return thrown(ErrorKind::kFormat, [&] { read_weight_file(folder / "x"); });
  };
  EXPECT_TRUE(has(error("a plain text, long enough"), "no weights file that this program knows"));
  EXPECT_TRUE(has(error(""), "no weights file"));
  EXPECT_TRUE(has(error("\x80\x04K\x01."), "got 4; hint: save it again with torch.save"));
  EXPECT_TRUE(has(error("L119547037146038801333356L\n."), "pickle_protocol=2"));
}

TEST(WeightFile, AFolderHasOneIndexOrNone) {
  const TemporaryFolder folder;
  const auto refused = [&] { return thrown(ErrorKind::kData, [&] { find_weight_index(folder.path()); }); };
  EXPECT_TRUE(has(refused(), "name one file in it"));
  write_file_atomic(folder / "m.safetensors.index.json", std::string_view("{}"));
  EXPECT_EQ(find_weight_index(folder.path()), folder / "m.safetensors.index.json");
  write_file_atomic(folder / "n.safetensors.index.json", std::string_view("{}"));
  EXPECT_TRUE(has(refused(), "one index"));
}

}  // namespace
}  // namespace ldm
