#include "ldm/config/override.h"

#include "ldm/config/yaml.h"
#include "tests/config/error_text.h"

namespace ldm {
namespace {

Node sample() {
  return parse_yaml("model:\n  params: {linear_end: 0.02, mult: [1, 2], none: }\nname: x\n", "c.yaml");
}

std::string changed(std::string_view assignment) {
  Node node = sample();
  apply_override(node, assignment);
  return to_yaml_flow(node);
}

TEST(Override, ReplacesAValue) {
  Node node = sample();
  apply_override(node, "model.params.linear_end=0.0205");
  EXPECT_EQ(node.find_path("model.params.linear_end")->text(), "0.0205");
  EXPECT_EQ(node.find_path("model.params.linear_end")->where(), "override 'model.params.linear_end=0.0205'");
}

TEST(Override, ValuesAreYaml) {
  EXPECT_EQ(changed("name=[1, {a: b}]"),
            "{model: {params: {linear_end: 0.02, mult: [1, 2], none: null}}, name: [1, {a: b}]}");
  EXPECT_EQ(changed("model={a: true}"), "{model: {a: true}, name: x}");
  EXPECT_EQ(changed("model=null"), "{model: null, name: x}");
  EXPECT_EQ(changed("model="), "{model: \"\", name: x}");
  EXPECT_EQ(changed("model='5'"), "{model: \"5\", name: x}");
  EXPECT_EQ(changed("model=a=b"), "{model: a=b, name: x}") << "the first sign counts";
}

TEST(Override, StepsIntoLists) {
  EXPECT_NE(changed("model.params.mult.1=7").find("mult: [1, 7]"), std::string::npos);
  EXPECT_NE(changed("model.params.mult.2=7").find("mult: [1, 2, 7]"), std::string::npos)
      << "one past the end appends";
}

TEST(Override, MakesMissingMaps) {
  EXPECT_NE(changed("data.train.size=5").find("data: {train: {size: 5}}"), std::string::npos);
  EXPECT_NE(changed("model.params.none.x=5").find("none: {x: 5}"), std::string::npos) << "null becomes a map";
  Node nothing;
  apply_override(nothing, "a.b=1");
  EXPECT_EQ(to_yaml_flow(nothing), "{a: {b: 1}}");
}

TEST(Override, RefusesBadOnesAndChangesNothing) {
  Node node = sample();
  const auto refused = [&](std::string_view assignment, ErrorKind kind = ErrorKind::kUsage) {
    const auto message = error_text(kind, [&] { apply_override(node, assignment); });
    EXPECT_EQ(node, sample()) << assignment;
    return message;
  };
  EXPECT_EQ(refused("model"), "override 'model': expected name=value");
  refused("=5");
  EXPECT_EQ(refused("new.a..b=5"), "override 'new.a..b=5': expected names between the dots");
  refused(".a=5");
  refused("a.=5");
  EXPECT_EQ(refused("name.x=5"), "override 'name.x=5': expected a map or a list around 'x', got x");
  EXPECT_EQ(refused("model.params.mult.3=5"),
            "override 'model.params.mult.3=5': expected an index of 0 to 2 into the list, got '3'");
  refused("model.params.mult.x=5");
  refused("name=[1", ErrorKind::kFormat);
  refused("name={a: 1, a: 2}", ErrorKind::kFormat);
}

TEST(Merge, LaysOneTreeOnAnother) {
  Node base = parse_yaml("a: {b: 1, c: [1, 2]}\nd: 4\n", "base");
  merge_into(base, parse_yaml("a: {c: [3], e: 5}\nf: 6\n", "over"));
  EXPECT_EQ(to_yaml_flow(base), "{a: {b: 1, c: [3], e: 5}, d: 4, f: 6}");
  EXPECT_EQ(base.find_path("a.e")->where(), "over:1");
  merge_into(base, parse_yaml("a: null\n", "over"));
  EXPECT_TRUE(base.find("a")->is_null());
}

}  // namespace
}  // namespace ldm
