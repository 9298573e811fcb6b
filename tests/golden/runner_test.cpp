// The runner's own rules: generated weights, errors, the list of what is pending.
#include "tests/golden/runner.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "ldm/core/error.h"
#include "ldm/nn/layers.h"
#include "ldm/nn/state_dict.h"
#include "tests/golden/hash_weights.h"
#include "tests/golden/pending.h"

namespace ldm::golden {
namespace {

namespace fs = std::filesystem;

// A folder of its own for each test.
fs::path fresh_folder() {
  const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
  const auto folder = fs::temp_directory_path() / ("ldm_golden_" + std::string(info->name()));
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

// A case of kind `kind` with input x = 2 and output y = 4.
void write_case(const fs::path& folder, const std::string& kind) {
  write(folder / "case.json",
        R"({"format": 1, "kind": ")" + kind + R"(", "name": ")" + folder.filename().string() +
            R"(", "config": {}, "inputs": ["x"], "outputs": ["y"], "tolerance": {"default": 1e-9}})");
  write_tensor_file(folder / "io.safetensors",
                    {{"x", at::tensor({2.0}, at::kDouble)}, {"y", at::tensor({4.0}, at::kDouble)}});
}

int run_on(const fs::path& root, const std::string& pending_text) {
  write(root.string() + ".pending", pending_text);
  RunnerOptions options;
  options.roots = {root};
  options.pending = root.string() + ".pending";
  options.check_stale = true;
  return run(options);
}

void add_test_kinds(KindTable& kinds) {
  kinds.add("test_right", [](Case& c) { c.expect("y", c.input("x") * 2); });
  kinds.add("test_wrong", [](Case& c) { c.expect("y", c.input("x") * 3); });
  kinds.add("test_shape", [](Case& c) { c.expect("y", at::full({2}, 4.0)); });
  kinds.add("test_throws", [](Case&) { fail(ErrorKind::kInternal, "broken"); });
  kinds.add("test_skips", [](Case& c) { c.skip("value"); });
  kinds.add("test_conv", [](Case& c) {
    const auto conv = conv1x1(1, 1);
    c.load_weights(*conv.ptr());
    const auto y = conv(at::ones({1, 1, 2, 2}));
    c.expect_true("no graph", !y.requires_grad());
    c.expect("y", y);
  });
  kinds.add("test_silent", [](Case& c) { c.expect_true("other", true); });
}
const RegisterKinds kRegistered(add_test_kinds);

TEST(HashWeights, PublishedValues) {
  const auto w = hash_weight("out.2.weight", {2, 3}, {.seed = 5});
  EXPECT_NEAR(w[0][0].item<double>(), -0.5979100466, 1e-7);
  EXPECT_NEAR(w[1][2].item<double>(), 0.6637505293, 1e-7);
  EXPECT_NEAR(hash_weight("out.0.weight", {3}, {.seed = 5})[1].item<double>(), 1.1623873711, 1e-7);
  EXPECT_NEAR(hash_weight("label_emb.weight", {2, 2}, {.seed = 5})[0][0].item<double>(), -0.7509427071, 1e-7);
  EXPECT_EQ(hash_weight("bn.num_batches_tracked", {}, {.seed = 5}).item<int64_t>(), 7);
}

TEST(HashWeights, ShapesInBothSpellings) {
  const auto path = fresh_folder() / "shapes.txt";
  write(path, "a.weight 2,3\nb ()\nc [1, 30]\n");
  const auto shapes = read_shapes(path);
  ASSERT_EQ(shapes.size(), 3u);
  EXPECT_EQ(shapes[0].shape, (std::vector<int64_t>{2, 3}));
  EXPECT_TRUE(shapes[1].shape.empty());
  EXPECT_EQ(shapes[2].shape, (std::vector<int64_t>{1, 30}));
}

TEST(RelativeError, Rules) {
  const auto want = at::tensor({1.0, -2.0}, at::kDouble), got = at::tensor({1.0, -1.0}, at::kDouble);
  EXPECT_EQ(relative_error(got, want, true), 0.5);
  EXPECT_EQ(relative_error(got, at::zeros({2}, at::kDouble), true), 1.0);
  EXPECT_GT(relative_error(got, at::zeros({2}, at::kDouble), false), 1e29);
  EXPECT_TRUE(std::isinf(relative_error(at::ones({1, 2}), want, true)));
  EXPECT_TRUE(std::isnan(relative_error(at::full({2}, NAN), want, true)));
  EXPECT_EQ(relative_error(at::full({1}, 5, at::kByte), at::full({1}, 4, at::kByte), true), 1.0 / 255);
}

TEST(Runner, PassesWhatIsRight) {
  const auto root = fresh_folder();
  write_case(root / "nested" / "case_a", "test_right");
  EXPECT_EQ(run_on(root, ""), 0);
}

TEST(Runner, FailsOnWrongValuesShapesAndExceptions) {
  for (const char* kind : {"test_wrong", "test_shape", "test_throws"}) {
    const auto root = fresh_folder();
    write_case(root / "case_a", kind);
    EXPECT_EQ(run_on(root, "case_a\n"), 1) << kind;
  }
}

TEST(Runner, SkipsMustBePending) {
  const auto root = fresh_folder();
  write_case(root / "case_a", "test_skips");
  EXPECT_EQ(run_on(root, ""), 1);
  EXPECT_EQ(run_on(root, "test_skips:value  # later\n"), 0);
  EXPECT_EQ(run_on(root, "case_a\n"), 0);
  EXPECT_EQ(run_on(root, "test_skips\n"), 0);
}

TEST(Runner, UnknownKindsAndMissingOutputsMustBePending) {
  const auto root = fresh_folder();
  write_case(root / "case_a", "test_nobody_knows");
  write_case(root / "case_b", "test_silent");
  EXPECT_EQ(run_on(root, "test_nobody_knows\n"), 1);
  EXPECT_EQ(run_on(root, "test_nobody_knows\ntest_silent/y\n"), 0);
}

TEST(Runner, StaleEntriesFail) {
  const auto root = fresh_folder();
  write_case(root / "case_a", "test_right");
  EXPECT_EQ(run_on(root, "test_right\n"), 1);
}

TEST(Runner, SumsUpByKind) {
  const auto root = fresh_folder();
  write_case(root / "case_a", "test_right");
  write_case(root / "case_b", "test_wrong");
  RunnerOptions options;
  options.roots = {root};
  options.markdown = root.string() + ".md";
  write(root.string() + ".pending", "");
  options.pending = root.string() + ".pending";
  EXPECT_EQ(run(options), 1);
  std::ifstream in(options.markdown);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  EXPECT_NE(text.find("| test_right | 1 / 1 | 0 | 1e-09 |"), std::string::npos) << text;
  EXPECT_NE(text.find("| test_wrong | 0 / 1 | - | - |"), std::string::npos) << text;
  EXPECT_NE(text.find("| all | 1 / 2 |"), std::string::npos) << text;
}

TEST(Runner, FullSizeCasesTakeTheirWeightsOnce) {
  const auto root = fresh_folder();
  write(root / "case_a/case.json",
        R"({"kind": "test_conv", "name": "case_a", "config": {}, "outputs": ["y"], "tolerance": {"y": 1e-6},
            "full_size": true, "generated_weights": {"seed": 1, "prefix": "net."}})");
  write(root / "case_a/shapes.txt", "weight 1,1,1,1\nbias 1\n");
  write_tensor_file(root / "case_a/io.safetensors", {{"y", at::full({1, 1, 2, 2}, 5.0f)}});
  EXPECT_EQ(run_on(root, ""), 0) << "without its generated weights it is skipped";
  write_tensor_file(root / "case_a/weights.safetensors",
                    {{"net.weight", at::full({1, 1, 1, 1}, 2.0f)}, {"net.bias", at::full({1}, 3.0f)}});
  EXPECT_EQ(run_on(root, ""), 0);
}

TEST(Runner, AnEmptyRootFails) { EXPECT_EQ(run_on(fresh_folder(), ""), 1); }

}  // namespace
}  // namespace ldm::golden
