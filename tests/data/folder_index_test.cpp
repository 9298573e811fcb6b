#include "ldm/data/folder_index.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

std::vector<std::string> ids(const FolderIndex& index) {
  std::vector<std::string> out;
  for (const ExampleInfo& info : index.examples) out.push_back(info.id);
  return out;
}

TEST(FolderIndex, ReadsMetadata) {
  const TempFolder folder;
  folder.write("images/b.png", "");
  folder.write("a.png", "");
  folder.write("metadata.jsonl",
               "{\"file_name\":\"images/b.png\",\"text\":\"bee\",\"keywords\":[\"insect\"],\"weight\":0.5,"
               "\"split\":\"heldout\",\"colour\":\"yellow\",\"style\":\"noto\",\"label\":3,\"other\":[1]}\r\n"
               "\n{\"file_name\":\"./a.png\",\"caption\":\"ay\",\"colour\":null}\n"
               "{\"file_name\":\"c.png\",\"text\":\"not there\"}");
  const FolderIndex index = index_folder(folder.path());
  EXPECT_EQ(ids(index), (std::vector<std::string>{"images/b.png", "a.png"}));  // The file's order.
  const ExampleInfo& bee = index.examples[0];
  EXPECT_EQ(bee.words.text, "bee");
  EXPECT_EQ(bee.words.keywords, std::vector<std::string>{"insect"});
  EXPECT_EQ(bee.words.colour, "yellow");
  EXPECT_EQ(bee.words.style, "noto");
  EXPECT_EQ(bee.weight, 0.5);
  EXPECT_EQ(bee.split, "heldout");
  EXPECT_EQ(bee.label, 3);
  EXPECT_EQ(index.examples[1].words.text, "ay");
  EXPECT_EQ(index.examples[1].weight, 1);
  EXPECT_EQ(index.missing, std::vector<std::string>{"c.png: not there"});
}

TEST(FolderIndex, MetadataNamesClasses) {
  const TempFolder folder;
  for (const char* name : {"a.png", "b.png", "c.png", "d.png"}) folder.write(name, "");
  folder.write("metadata.jsonl",
               "{\"file_name\":\"d.png\",\"class\":\"fruit\"}\n{\"file_name\":\"c.png\",\"class\":\"bird\"}\n"
               "{\"file_name\":\"b.png\"}\n{\"file_name\":\"a.png\",\"class\":\"fruit\"}\n"
               "{\"file_name\":\"gone.png\",\"class\":\"fish\"}\n");
  const FolderIndex index = index_folder(folder.path());
  EXPECT_EQ(index.classes, (std::vector<std::string>{"bird", "fruit"}));
  std::vector<int64_t> labels;
  for (const ExampleInfo& info : index.examples) labels.push_back(info.label);
  EXPECT_EQ(labels, (std::vector<int64_t>{1, 0, -1, 1}));

  folder.write(
      "metadata.jsonl",
      "{\"file_name\":\"a.png\",\"class\":7}\n{\"file_name\":\"b.png\",\"label\":2,\"class\":\"x\"}");
  EXPECT_EQ(index_folder(folder.path()).examples[0].label, 7);  // A number needs no name.
  EXPECT_EQ(index_folder(folder.path()).examples[1].label, 2);
  EXPECT_TRUE(index_folder(folder.path()).classes.empty());
}

TEST(FolderIndex, RefusesBrokenMetadata) {
  const TempFolder folder;
  folder.write("a.png", "");
  const auto error = [&](const std::string& line) {
    folder.write("metadata.jsonl", "{\"file_name\":\"a.png\"}\n" + line + "\n");
    return error_of(ErrorKind::kFormat, [&] { index_folder(folder.path()); });
  };
  const std::string where = (folder.path() / "metadata.jsonl").string() + ":2: expected ";
  EXPECT_TRUE(contains(error("{"), "metadata.jsonl:2"));
  EXPECT_EQ(error("[]"), where + "an object");
  EXPECT_EQ(error("{\"text\":\"x\"}"), where + "file_name");
  EXPECT_EQ(error("{\"file_name\":\"../a.png\"}"), where + "a file_name inside the folder");
  EXPECT_EQ(error("{\"file_name\":\"/a.png\"}"), where + "a file_name inside the folder");
  EXPECT_EQ(error("{\"file_name\":\"a.png\",\"text\":1}"), where + "a string as text");
  EXPECT_EQ(error("{\"file_name\":\"a.png\",\"keywords\":\"x\"}"), where + "a list as keywords");
  EXPECT_EQ(error("{\"file_name\":\"a.png\",\"keywords\":[1]}"), where + "strings as keywords");
  EXPECT_EQ(error("{\"file_name\":\"a.png\",\"weight\":\"1\"}"), where + "a number as weight");
  EXPECT_EQ(error("{\"file_name\":\"a.png\",\"weight\":0}"), where + "a weight > 0");
  EXPECT_EQ(error("{\"file_name\":\"a.png\",\"label\":-1}"), where + "an integer >= 0 as label");
  EXPECT_EQ(error("{\"file_name\":\"a.png\",\"class\":[]}"), where + "a string as class");
  EXPECT_EQ(error("{\"file_name\":\"a.png\",\"class\":-3}"), where + "an integer >= 0 as class");
}

TEST(FolderIndex, ReadsTextBesidePictures) {
  const TempFolder folder;
  for (const char* name : {"b.png", "a.JPG", "z.webp", "notes.md", ".hidden.png", ".git/x.png"})
    folder.write(name, "");
  folder.write("a.txt", "  a red cube \n");
  const FolderIndex index = index_folder(folder.path());
  EXPECT_EQ(ids(index), (std::vector<std::string>{"a.JPG", "b.png", "z.webp"}));
  EXPECT_EQ(index.examples[0].words.text, "a red cube");
  EXPECT_EQ(index.examples[1].words.text, "");
  EXPECT_EQ(index.examples[0].label, -1);
  EXPECT_TRUE(index.classes.empty());
}

TEST(FolderIndex, ALinkToItselfIsAPictureThatCannotBeRead) {
  const TempFolder folder;
  folder.write("a.png", "");
  std::filesystem::create_symlink("loop.png", folder.path() / "loop.png");
  EXPECT_EQ(ids(index_folder(folder.path())), (std::vector<std::string>{"a.png", "loop.png"}));
  folder.write("metadata.jsonl", "{\"file_name\":\"a.png\"}\n{\"file_name\":\"loop.png\"}");
  EXPECT_EQ(index_folder(folder.path()).missing, std::vector<std::string>{"loop.png: not there"});
}

TEST(FolderIndex, FoldersAreClasses) {
  const TempFolder folder;
  for (const char* name : {"tabby_cat/2.png", "tabby_cat/1.png", "dog/deep/1.png"}) folder.write(name, "");
  folder.write("dog/deep/1.txt", "a dog");
  const FolderIndex index = index_folder(folder.path());
  EXPECT_EQ(ids(index), (std::vector<std::string>{"dog/deep/1.png", "tabby_cat/1.png", "tabby_cat/2.png"}));
  EXPECT_EQ(index.classes, (std::vector<std::string>{"dog", "tabby_cat"}));
  EXPECT_EQ(index.examples[0].label, 0);
  EXPECT_EQ(index.examples[0].words.text, "a dog");
  EXPECT_EQ(index.examples[1].label, 1);
  EXPECT_EQ(index.examples[1].words.text, "tabby cat");
}

TEST(FolderIndex, NamesAWrongPath) {
  const TempFolder folder;
  folder.write("file", "");
  const std::string file = (folder.path() / "file").string(), none = (folder.path() / "none").string();
  EXPECT_EQ(error_of(ErrorKind::kData, [&] { index_folder(none); }),
            "expected a folder of pictures at " + none +
                ", found nothing; hint: give the path of an existing folder");
  EXPECT_TRUE(contains(error_of(ErrorKind::kData, [&] { index_folder(file); }), "found something else"));
}

}  // namespace
}  // namespace ldm
