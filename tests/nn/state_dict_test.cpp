#include "ldm/nn/state_dict.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "ldm/core/error.h"
#include "ldm/nn/layers.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

struct Net : torch::nn::Module {
  Net() { conv = add(*this, "a.0", conv1x1(2, 3)); }
  Conv2d conv;
};

class StateDictFile : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  const fs::path folder_ =
      fs::temp_directory_path() /
      ("ldm_state_dict_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
};

TEST_F(StateDictFile, WritesAndReadsEveryDtype) {
  StateDict want;
  for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort,
                          at::kChar, at::kByte, at::kBool}) {
    want[at::toString(type)] = at::arange(6).view({2, 3}).to(type);
  }
  want["scalar"] = at::scalar_tensor(3.5);
  want["strided"] = at::arange(6).to(at::kFloat).view({2, 3}).t();
  want["empty"] = at::zeros({0, 4});
  write_tensor_file(folder_ / "x.safetensors", want, {{"config", "a: 1"}});
  const auto got = read_tensor_file(folder_ / "x.safetensors");
  EXPECT_EQ(got.metadata.at("config"), "a: 1");
  ASSERT_EQ(got.tensors.size(), want.size());
  for (const auto& [name, tensor] : want) {
    EXPECT_EQ(got.tensors.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(got.tensors.at(name), tensor)) << name;
  }
}

TEST_F(StateDictFile, NamesTheFileThatItCannotRead) {
  EXPECT_THROW(read_tensor_file(folder_ / "none.safetensors"), Error);
  std::ofstream(folder_ / "bad.safetensors") << "not a tensor file at all";
  try {
    read_tensor_file(folder_ / "bad.safetensors");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kFormat);
    EXPECT_NE(std::string(e.what()).find("bad.safetensors"), std::string::npos);
  }
}

TEST_F(StateDictFile, RefusesADtypeWithoutAName) {
  EXPECT_THROW(write_tensor_file(folder_ / "x.safetensors", {{"z", at::zeros({1}, at::kComplexDouble)}}),
               Error);
}

TEST(StateDict, LoadsWhatItGives) {
  const Net from;
  Net to;
  const auto tensors = state_dict(from, "net.");
  EXPECT_EQ(tensors.begin()->first, "net.a.0.bias");
  EXPECT_TRUE(load_state_dict(to, tensors, "net.").ok());
  EXPECT_TRUE(at::equal(to.conv->weight, from.conv->weight));
}

TEST(StateDict, ConvertsTheDtype) {
  Net net;
  StateDict tensors;
  for (const auto& [name, tensor] : state_dict(net)) tensors[name] = at::ones_like(tensor).to(at::kHalf);
  EXPECT_TRUE(load_state_dict(net, tensors).ok());
  EXPECT_EQ(net.conv->weight.scalar_type(), at::kFloat);
  EXPECT_EQ(net.conv->weight.sum().item<float>(), 6.0F);
}

TEST(StateDict, ReportsWhatDoesNotFitAndLoadsTheRest) {
  Net net;
  const StateDict tensors{{"a.0.weight", at::zeros({3, 3, 1, 1})}, {"b", at::zeros({1})}};
  const auto report = load_state_dict(net, tensors);
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(report.missing, std::vector<std::string>{"a.0.bias"});
  EXPECT_EQ(report.unexpected, std::vector<std::string>{"b"});
  ASSERT_EQ(report.mis_shaped.size(), 1U);
  EXPECT_EQ(report.mis_shaped[0], "a.0.weight: expected [3, 2, 1, 1], got [3, 3, 1, 1]");
  EXPECT_NE(report.table().find("missing (1)"), std::string::npos);
}

TEST(StateDict, OtherPrefixesAreNotUnexpected) {
  Net net;
  auto tensors = state_dict(net, "net.");
  tensors["other.x"] = at::zeros({1});
  EXPECT_TRUE(load_state_dict(net, tensors, "net.").ok());
}

}  // namespace
}  // namespace ldm
