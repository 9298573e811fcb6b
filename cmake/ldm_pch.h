// The one precompiled header. Never torch/torch.h: its pending template instantiations are redone in every file.
#pragma once
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <torch/nn/module.h>
#include <torch/types.h>
