#include "ldm/config/node.h"

#include "ldm/config/yaml.h"
#include "tests/config/error_text.h"

namespace ldm {
namespace {

TEST(Node, KnowsWhatItIs) {
  EXPECT_TRUE(Node().is_null());
  EXPECT_EQ(Node().kind_name(), "null");
  EXPECT_EQ(Node::scalar("1").kind_name(), "a scalar");
  EXPECT_EQ(Node::sequence().kind_name(), "a list");
  EXPECT_EQ(Node::map().kind_name(), "a map");
  EXPECT_TRUE(Node::string("1").quoted());
  EXPECT_FALSE(Node::scalar("1").quoted());
  EXPECT_EQ(Node::boolean(true).text(), "true");
  EXPECT_EQ(Node::integer(-3).text(), "-3");
  EXPECT_EQ(Node::number(0.5).text(), "0.5");
}

TEST(Node, MapsKeepTheirOrder) {
  Node node;  // A null node becomes a map.
  node.set("b", Node::integer(1));
  node.set("a", Node::integer(2));
  node.set("b", Node::integer(3));
  ASSERT_EQ(node.entries().size(), 2u);
  EXPECT_EQ(node.entries()[0].key, "b");
  EXPECT_EQ(node.find("b")->text(), "3");
  EXPECT_EQ(node.find("c"), nullptr);
  EXPECT_TRUE(node.erase("b"));
  EXPECT_FALSE(node.erase("b"));
  EXPECT_EQ(Node::scalar("x").find("b"), nullptr);
}

TEST(Node, RefusesMembersOfScalars) {
  Node node = Node::scalar("x");
  error_text(ErrorKind::kInternal, [&] { node.set("a", Node()); });
  error_text(ErrorKind::kInternal, [&] { node.push_back(Node()); });
}

TEST(Node, WalksDottedPaths) {
  const Node node = parse_yaml("a:\n  b:\n    - x\n    - c: y\n", "f");
  EXPECT_EQ(node.find_path("a.b.1.c")->text(), "y");
  EXPECT_EQ(node.find_path("a.b.0")->text(), "x");
  EXPECT_EQ(node.find_path(""), &node);
  for (const char* path : {"a.c", "a.b.2", "a.b.x", "a.b.0.d", "z", "a.b.-1"})
    EXPECT_EQ(node.find_path(path), nullptr) << path;
}

TEST(Node, AtNamesTheNearestKeyAndThePlace) {
  const Node node = parse_yaml("x: 1\nmodel:\n  target: a\n  params: b\n", "c.yaml");
  EXPECT_EQ(node.at("x").text(), "1");
  EXPECT_EQ(error_text(ErrorKind::kUsage, [&] { node.at("model").at("param"); }),
            "c.yaml:3: expected the key 'param' in a map; did you mean 'params'?");
}

TEST(Node, EqualityIgnoresPlaces) {
  EXPECT_EQ(parse_yaml("a: [1, 2]", "f"), parse_yaml("\n\na:\n- 1\n- 2\n", "g"));
  EXPECT_FALSE(parse_yaml("a: 1", "f") == parse_yaml("a: '1'", "f"));
  EXPECT_FALSE(parse_yaml("a: 1", "f") == parse_yaml("a: 2", "f"));
}

}  // namespace
}  // namespace ldm
