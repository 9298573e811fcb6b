#include "ldm/pipeline/class_names.h"

#include <filesystem>
#include <fstream>

#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

const std::vector<std::string> kPets{"tabby cat, tabby", "Dog", "crane", "crane"};

std::string class_refusal(const std::string& text, const std::vector<std::string>& names = kPets) {
  return thrown(ErrorKind::kUsage, [&] { find_class(text, names, 4); });
}

TEST(ClassNames, NumbersNamesAndSynonyms) {
  EXPECT_EQ(find_class("3", kPets, 4), 3);
  EXPECT_EQ(find_class("dog", kPets, 4), 1);
  EXPECT_EQ(find_class("Tabby", kPets, 4), 0);
  EXPECT_EQ(find_class("tabby cat, tabby", kPets, 4), 0);
  EXPECT_EQ(find_class("2", {}, 4), 2);
}

TEST(ClassNames, AByteOrderMarkIsNoName) {
  const auto file = std::filesystem::temp_directory_path() / "ldm_class_names_bom.txt";
  std::ofstream(file) << "\xEF\xBB\xBF"
                      << "fox\nhen\n";
  EXPECT_EQ(read_class_names(file), (std::vector<std::string>{"fox", "hen"}));
  std::filesystem::remove(file);
}

TEST(ClassNames, RefusesWhatNamesNoClass) {
  EXPECT_TRUE(has(class_refusal("4"), "expected a class in 0..3, got 4"));
  EXPECT_TRUE(has(class_refusal("dogg"), "no class is called 'dogg'; did you mean 'Dog'?"));
  EXPECT_TRUE(has(class_refusal("crane"), "is the name of classes 2 and 3; expected the number of one"));
  EXPECT_TRUE(has(class_refusal("dog", {}), "what its 4 classes are called; expected a number"));
  EXPECT_TRUE(has(class_refusal("a", {"a", "b", "c", "d", "e"}), "got 5 names for 4 classes"));
}

TEST(ClassNames, AFileHasOneALine) {
  const auto file = std::filesystem::temp_directory_path() / "ldm-class-names-test.txt";
  std::ofstream(file) << "red fox\r\n  arctic fox \n\n";
  EXPECT_EQ(read_class_names(file), (std::vector<std::string>{"red fox", "arctic fox"}));
  std::ofstream(file, std::ios::trunc) << "\n";
  EXPECT_TRUE(has(thrown(ErrorKind::kFormat, [&] { read_class_names(file); }), "one a line"));
  std::filesystem::remove(file);
  EXPECT_TRUE(has(thrown(ErrorKind::kData, [&] { read_class_names(file); }), file.string()));
}

}  // namespace
}  // namespace ldm
