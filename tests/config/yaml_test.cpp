#include "ldm/config/yaml.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "ldm/io/file.h"
#include "tests/config/error_text.h"

namespace ldm {
namespace {

TEST(Yaml, ReadsTheOriginalSchema) {
  const Node node = parse_yaml(R"(
model:
  base_learning_rate: 2.0e-06
  target: ldm.models.diffusion.ddpm.LatentDiffusion
  params:
    linear_start: 0.0015
    cond_stage_config: __is_unconditional__
    unet_config:
      target: ldm.modules.diffusionmodules.openaimodel.UNetModel
      params:
        image_size: 64
        attention_resolutions:
        - 8
        - 4
        channel_mult: [1, 2]  # A comment.
    first_stage_config:
      params:
        monitor: "val/rec_loss"
        ckpt_path:
        attn_resolutions: []
        lossconfig: {target: torch.nn.Identity}
)",
                               "c.yaml");
  EXPECT_EQ(node.find_path("model.base_learning_rate")->text(), "2.0e-06");
  EXPECT_EQ(node.find_path("model.params.unet_config.params.attention_resolutions.1")->text(), "4");
  EXPECT_EQ(node.find_path("model.params.unet_config.params.channel_mult")->items().size(), 2u);
  EXPECT_EQ(node.find_path("model.params.cond_stage_config")->text(), "__is_unconditional__");
  EXPECT_TRUE(node.find_path("model.params.first_stage_config.params.ckpt_path")->is_null());
  EXPECT_TRUE(node.find_path("model.params.first_stage_config.params.attn_resolutions")->is_sequence());
  EXPECT_TRUE(node.find_path("model.params.first_stage_config.params.monitor")->quoted());
  EXPECT_EQ(node.find_path("model.params.first_stage_config.params.lossconfig.target")->text(),
            "torch.nn.Identity");
  EXPECT_EQ(node.find_path("model.params.unet_config.target")->where(), "c.yaml:9");
}

TEST(Yaml, AnEmptyDocumentIsNull) {
  for (const char* text : {"", "\n", "# only words\n", "---\n", "~"})
    EXPECT_TRUE(parse_yaml(text, "f").is_null()) << text;
  EXPECT_EQ(parse_yaml("plain words", "f").text(), "plain words");
}

TEST(Yaml, ReplacesAliases) {
  const Node node = parse_yaml("a: &x {b: [1, 2]}\nc: *x\nd: &y 5\ne: *y\n", "f");
  EXPECT_EQ(*node.find("c"), *node.find("a"));
  EXPECT_EQ(node.find("e")->text(), "5");
}

TEST(Yaml, TakesCoreTags) {
  EXPECT_TRUE(parse_yaml("!!str 5", "f").quoted());
  EXPECT_FALSE(parse_yaml("!!int 5", "f").quoted());
  EXPECT_TRUE(parse_yaml("!!map {a: !!seq [1]}", "f").is_map());
}

TEST(Yaml, ReadsFiles) {
  const auto path = std::filesystem::temp_directory_path() / "ldm-yaml-test.yaml";
  write_file_atomic(path, "a: 1\n");
  EXPECT_EQ(read_yaml(path).find("a")->where(), path.string() + ":1");
  std::filesystem::remove(path);
  error_text(ErrorKind::kData, [&] { read_yaml(path); });
}

TEST(YamlWriter, WritesBlocksAndShortLists) {
  const std::string text =
      "model:\n  target: diffusion\n  rate: 2.0e-06\n  mult: [1, 2, 4]\n  none: null\n  empty: {}\nlist:\n"
      "  - a: 1\n    b: 2\n  - [1, 2]\n  -\n    - - x\n      - [y]\n";
  const Node node = parse_yaml(text, "f");
  EXPECT_EQ(parse_yaml(to_yaml(node), "f"), node) << to_yaml(node);
  EXPECT_EQ(to_yaml(parse_yaml("a: {b: [1, {c: 2}], d: []}", "f")),
            "a:\n  b:\n    - 1\n    - c: 2\n  d: []\n");
  EXPECT_EQ(to_yaml_flow(node),
            "{model: {target: diffusion, rate: 2.0e-06, mult: [1, 2, 4], none: null, empty: {}}, list: "
            "[{a: 1, b: 2}, [1, 2], [[x, [y]]]]}");
}

// Texts that a careless writer would turn into something else.
std::vector<std::string> awkward_texts() {
  return {"",
          "plain",
          "two words",
          "null",
          "true",
          "12",
          "1e-4",
          "- a",
          "a: b",
          "a #b",
          " lead",
          "trail ",
          "'single'",
          "\"double\"",
          "back\\slash",
          "line\nbreak\n",
          "tab\t",
          "---",
          "...",
          "*a",
          "&a",
          "!a",
          "%a",
          "@a",
          "`a`",
          "{a}",
          "[a]",
          "a,b",
          "?",
          "? a",
          "|",
          ">",
          "\xC3\xA4 \xE6\xBC\xA2 \xF0\x9F\x8D\x95",
          "<<",
          "~",
          "0x1F",
          ".nan",
          "-",
          "a  b",
          "=a=",
          "\xC2\x85",
          "\xE2\x80\xA8"};
}

TEST(YamlWriter, EveryTextRoundTrips) {
  std::string all;
  for (int c = 1; c < 128; ++c) all += static_cast<char>(c);
  auto texts = awkward_texts();
  texts.push_back(all);
  for (const auto& text : texts) {
    Node node = Node::map();
    node.set("key", Node::string(text));
    Node list = Node::sequence();
    list.push_back(Node::string(text));
    node.set("list", list);
    if (text != "<<") node.set(text, Node::integer(1));
    for (const auto& written : {to_yaml(node), to_yaml_flow(node)}) {
      const Node back = parse_yaml(written, "f");
      ASSERT_TRUE(back.is_map() && back.find("key")) << written;
      EXPECT_EQ(back.find("key")->text(), text) << written;
      EXPECT_EQ(back.find("list")->items().at(0).text(), text) << written;
      EXPECT_TRUE(text == "<<" || back.find(text)) << written;
    }
  }
}

}  // namespace
}  // namespace ldm
