#include "ldm/config/options.h"

#include <limits>

#include "ldm/config/override.h"
#include "ldm/config/yaml.h"
#include "tests/config/error_text.h"

namespace ldm {
namespace {

struct UNetLike {
  int64_t channels = 128;
  std::vector<int64_t> mult{1, 2, 4};
  double dropout = 0.0;
  std::optional<int64_t> heads;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("channels", channels, "width of the first level");
    visit("mult", mult, "width of each level, times channels");
    visit("dropout", dropout, "dropout probability");
    visit("heads", heads, "attention heads; null: by their width");
  }
};

struct Block {
  std::string name;
  bool on = false;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("name", name);
    visit("on", on);
  }
};

struct RunOptions {
  std::string target = "diffusion";
  double rate = 1e-4;
  bool ema = true;
  int small = 3;
  uint64_t seed = 0;
  std::vector<double> betas{0.9, 0.999};
  std::vector<std::string> keys;
  std::vector<bool> flags;
  std::vector<Block> blocks;
  std::optional<Block> extra;
  UNetLike unet;
  Node params;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("target", target, "what is trained");
    visit("rate", rate, "learning rate");
    visit("ema", ema, "keep averaged weights");
    visit("small", small);
    visit("seed", seed);
    visit("betas", betas);
    visit("keys", keys);
    visit("flags", flags);
    visit("blocks", blocks);
    visit("extra", extra);
    visit.group("unet", unet, "the network");
    visit.node("params", params, "as it is");
  }
};

RunOptions read(std::string_view yaml) {
  RunOptions run;
  read_options(parse_yaml(yaml, "c.yaml"), run);
  return run;
}

std::string refusal(std::string_view yaml) {
  return error_text(ErrorKind::kUsage, [&] { read(yaml); });
}

TEST(Options, ReadsEveryFieldType) {
  const RunOptions run = read(R"(
target: "autoencoder"
rate: 2.0e-06
ema: False
small: 1e3
seed: 7
betas: [0.5, 1]
keys: [a, "1", 2]
flags: [true, false]
blocks: [{name: x}, {on: true}]
extra: {name: y}
unet: {channels: 64, mult: [1], heads: 8}
params: {anything: [1, {b: c}]}
)");
  EXPECT_EQ(run.target, "autoencoder");
  EXPECT_EQ(run.rate, 2e-6);
  EXPECT_FALSE(run.ema);
  EXPECT_EQ(run.small, 1000);
  EXPECT_EQ(run.seed, 7u);
  EXPECT_EQ(run.betas, (std::vector<double>{0.5, 1.0}));
  EXPECT_EQ(run.keys, (std::vector<std::string>{"a", "1", "2"}));
  EXPECT_EQ(run.flags, (std::vector<bool>{true, false}));
  ASSERT_EQ(run.blocks.size(), 2u);
  EXPECT_EQ(run.blocks[0].name, "x");
  EXPECT_TRUE(run.blocks[1].on);
  EXPECT_EQ(run.extra->name, "y");
  EXPECT_EQ(run.unet.channels, 64);
  EXPECT_EQ(run.unet.heads, 8);
  EXPECT_EQ(run.unet.dropout, 0.0) << "not named, not changed";
  EXPECT_EQ(run.params.find_path("anything.1.b")->text(), "c");
}

TEST(Options, AScalarIsAListOfOne) {
  EXPECT_EQ(read("unet: {mult: 8}").unet.mult, (std::vector<int64_t>{8}));
}

TEST(Options, NothingGivenChangesNothing) {
  EXPECT_EQ(read("").target, "diffusion");
  EXPECT_EQ(read("unet:\n").unet.channels, 128);
  EXPECT_FALSE(read("extra: null").extra);
  EXPECT_TRUE(read("params: null").params.is_null());
}

TEST(Options, WhatIsWrittenIsRead) {
  const RunOptions run = read(
      "{rate: 0.1, small: -5, seed: 9223372036854775807, betas: [.inf], keys: ['', 'null', 'a: b'], flags: "
      "[true], "
      "blocks: [{name: '1e3', on: true}], extra: {name: q}, unet: {mult: [], heads: 2}, params: [x]}");
  const Node written = write_options(run);
  RunOptions again;
  read_options(parse_yaml(to_yaml(written), "again"), again);
  EXPECT_EQ(to_yaml(write_options(again)), to_yaml(written));
  EXPECT_EQ(again.betas[0], std::numeric_limits<double>::infinity());
  EXPECT_EQ(again.keys, run.keys);
  EXPECT_EQ(again.seed, run.seed);
  EXPECT_EQ(again.blocks[0].name, "1e3");
  EXPECT_EQ(written.entries()[0].key, "target") << "in the order of the list";
}

struct Foreign {
  double rate = 1.0;
  UNetLike unet;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("rate", rate);
    visit.ignored("monitor", "checkpoints are kept by number");
    visit.only("steps_cond", "1", "a noised condition is not supported");
    visit.only("dims", "[]", "flat only");
    visit.group("unet", unet);
  }
};

TEST(Options, IgnoredKeysAreNamed) {
  const auto node = parse_yaml("{rate: 2, monitor: val/loss, unet: {channels: 3}}", "c.yaml");
  Foreign foreign;
  read_options(node, foreign);
  EXPECT_EQ(foreign.rate, 2.0);
  EXPECT_EQ(ignored_options<Foreign>(node, "model.params"),
            (std::vector<std::string>{"model.params.monitor: checkpoints are kept by number"}));
  EXPECT_TRUE(ignored_options<Foreign>(parse_yaml("{rate: 2}", "c.yaml")).empty());
}

TEST(Options, KeysWithOneSupportedValueRefuseOthers) {
  Foreign foreign;
  read_options(parse_yaml("{steps_cond: 1.0, dims: []}", "c.yaml"), foreign);
  read_options(parse_yaml("{steps_cond: null}", "c.yaml"), foreign);
  const auto text = error_text(ErrorKind::kUsage,
                               [&] { read_options(parse_yaml("{steps_cond: 5}", "c.yaml"), foreign, "p"); });
  EXPECT_EQ(text, "c.yaml:1: p.steps_cond: expected 1 (a noised condition is not supported), got '5'");
  EXPECT_FALSE(write_options(foreign).find("steps_cond")) << "no field, nothing to write";
}

TEST(Options, DefaultsRoundTrip) {
  RunOptions run;
  read_options(write_options(RunOptions()), run);
  EXPECT_EQ(write_options(run), write_options(RunOptions()));
}

TEST(Options, RefusesUnknownKeys) {
  EXPECT_EQ(refusal("rate: 1\nunet:\n  dropuot: 0.1\n"),
            "c.yaml:3: unknown key 'unet.dropuot'; did you mean 'dropout'?");
  EXPECT_EQ(refusal("extra: {weight: 1}"), "c.yaml:1: unknown key 'extra.weight'; expected one of name, on");
  EXPECT_EQ(refusal("blocks: [{name: a}, {nam: b}]"),
            "c.yaml:1: unknown key 'blocks.1.nam'; did you mean 'name'?");
  RunOptions run;
  Node node = parse_yaml("rate: 1", "c.yaml");
  apply_override(node, "unet.headss=1");
  EXPECT_EQ(error_text(ErrorKind::kUsage, [&] { read_options(node, run, "model.params"); }),
            "override 'unet.headss=1': unknown key 'model.params.unet.headss'; did you mean 'heads'?");
}

TEST(Options, SaysWhatWasExpectedAndWhatCame) {
  EXPECT_EQ(refusal("\nrate: fast"), "c.yaml:2: rate: expected a number, got the string 'fast'");
  EXPECT_EQ(refusal("rate: '1'"), "c.yaml:1: rate: expected a number, got the string '1'");
  EXPECT_EQ(refusal("rate: [1]"), "c.yaml:1: rate: expected a number, got a list");
  EXPECT_EQ(refusal("rate:"), "c.yaml:1: rate: expected a number, got null");
  EXPECT_EQ(refusal("rate: .nan"), "c.yaml:1: rate: expected a number, got '.nan'");
  EXPECT_EQ(refusal("small: 1.5"), "c.yaml:1: small: expected an integer, got '1.5'");
  EXPECT_EQ(refusal("small: 1_000"), "c.yaml:1: small: expected an integer, got the string '1_000'");
  EXPECT_EQ(refusal("small: true"), "c.yaml:1: small: expected an integer, got 'true'");
  EXPECT_EQ(refusal("ema: yes"), "c.yaml:1: ema: expected true or false, got the string 'yes'");
  EXPECT_EQ(refusal("ema: 1"), "c.yaml:1: ema: expected true or false, got '1'");
  EXPECT_EQ(refusal("target: {a: b}"), "c.yaml:1: target: expected a string, got a map");
  EXPECT_EQ(refusal("target: ~"), "c.yaml:1: target: expected a string, got null");
  EXPECT_EQ(refusal("unet: {mult: {a: 1}}"), "c.yaml:1: unet.mult: expected a list, got a map");
  EXPECT_EQ(refusal("unet: {mult: x}"), "c.yaml:1: unet.mult: expected an integer, got the string 'x'");
  EXPECT_EQ(refusal("unet: {mult: [1, x]}"),
            "c.yaml:1: unet.mult.1: expected an integer, got the string 'x'");
  EXPECT_EQ(refusal("unet: 5"), "c.yaml:1: unet: expected a map of settings, got '5'");
  EXPECT_EQ(refusal("unet: {heads: x}"), "c.yaml:1: unet.heads: expected an integer, got the string 'x'");
  EXPECT_EQ(refusal("[1]"), "c.yaml:1: expected a map of settings, got a list");
}

TEST(Options, ChecksRanges) {
  EXPECT_EQ(refusal("small: 3000000000"),
            "c.yaml:1: small: expected an integer of -2147483648 to 2147483647, got '3000000000'");
  EXPECT_EQ(refusal("seed: -1"), "c.yaml:1: seed: expected an integer of 0 to 9223372036854775807, got '-1'");
  EXPECT_EQ(refusal("unet: {channels: 1e30}"), "c.yaml:1: unet.channels: expected an integer, got '1e30'");
  EXPECT_EQ(refusal("rate: 1e999"), "c.yaml:1: rate: expected a number, got '1e999'");
}

TEST(Options, AFailedListLeavesTheFieldAlone) {
  RunOptions run;
  error_text(ErrorKind::kUsage, [&] { read_options(parse_yaml("betas: [1, x]", "c"), run); });
  EXPECT_EQ(run.betas.size(), 2u);
}

TEST(Options, HelpShowsNamesValuesAndWords) {
  EXPECT_EQ(options_help(UNetLike()),
            "  channels=128    width of the first level\n"
            "  mult=[1, 2, 4]  width of each level, times channels\n"
            "  dropout=0.0     dropout probability\n"
            "  heads=null      attention heads; null: by their width\n");
  const std::string help = options_help(RunOptions(), "model");
  EXPECT_NE(help.find("  model.unet.channels=128"), help.npos) << help;
  EXPECT_NE(help.find("model.target=diffusion"), help.npos) << help;
}

}  // namespace
}  // namespace ldm
