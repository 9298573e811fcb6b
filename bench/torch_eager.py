"""The shipped models' training step and sampling in PyTorch eager: the alternative that bench/compare.sh pairs with ldm.

Same modules under the same names (so a model file of ours loads strictly), same optimiser, same batch. Needs torch,
safetensors and pyyaml; never used at run time of ldm.
  python3 bench/torch_eager.py diffusion --steps 30 --batch 32
"""
import argparse
import math
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


def norm(channels, eps=1e-5):
    return nn.GroupNorm(32, channels, eps=eps)


class Attention(nn.Module):
    def __init__(self, dim, context, heads, head):
        super().__init__()
        inner = heads * head
        self.heads = heads
        self.to_q = nn.Linear(dim, inner, bias=False)
        self.to_k = nn.Linear(context, inner, bias=False)
        self.to_v = nn.Linear(context, inner, bias=False)
        self.to_out = nn.Sequential(nn.Linear(inner, dim), nn.Identity())

    def forward(self, x, context=None):
        context = x if context is None else context
        split = lambda t: t.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        out = F.scaled_dot_product_attention(split(self.to_q(x)), split(self.to_k(context)), split(self.to_v(context)))
        return self.to_out(out.transpose(1, 2).flatten(2))


class Geglu(nn.Module):
    def __init__(self, dim, inner):
        super().__init__()
        self.proj = nn.Linear(dim, 2 * inner)

    def forward(self, x):
        value, gate = self.proj(x).chunk(2, -1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, dim, mult):
        super().__init__()
        self.net = nn.Sequential(Geglu(dim, dim * mult), nn.Identity(), nn.Linear(dim * mult, dim))

    def forward(self, x):
        return self.net(x)


class TransformerBlock(nn.Module):
    def __init__(self, dim, context, heads, head, mult):
        super().__init__()
        self.attn1 = Attention(dim, dim, heads, head)
        self.ff = FeedForward(dim, mult)
        self.attn2 = Attention(dim, context, heads, head)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(dim) for _ in range(3))

    def forward(self, x, context):
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class SpatialTransformer(nn.Module):
    def __init__(self, channels, context, head, mult):
        super().__init__()
        self.norm = norm(channels, 1e-6)
        self.proj_in = nn.Conv2d(channels, channels, 1)
        self.transformer_blocks = nn.ModuleList([TransformerBlock(channels, context, channels // head, head, mult)])
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x, context):
        height = x.shape[2]
        h = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)
        h = self.transformer_blocks[0](h, context)
        return x + self.proj_out(h.transpose(1, 2).unflatten(2, (height, -1)))


class ResBlock(nn.Module):
    def __init__(self, cin, emb, cout):
        super().__init__()
        self.in_layers = nn.Sequential(norm(cin), nn.SiLU(), nn.Conv2d(cin, cout, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(emb, 2 * cout))
        self.out_layers = nn.Sequential(norm(cout), nn.SiLU(), nn.Identity(), nn.Conv2d(cout, cout, 3, padding=1))
        self.skip_connection = nn.Conv2d(cin, cout, 1) if cin != cout else nn.Identity()

    def forward(self, x, emb):
        h = self.in_layers(x)
        scale, shift = self.emb_layers(emb)[:, :, None, None].chunk(2, 1)
        h = self.out_layers[0](h) * (1 + scale) + shift
        return self.skip_connection(x) + self.out_layers[1:](h)


class Down(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.op = nn.Conv2d(channels, channels, 3, 2, 1)

    def forward(self, x):
        return self.op(x)


class Up(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))


class Stage(nn.Sequential):
    def forward(self, x, emb, context):
        for layer in self:
            if isinstance(layer, ResBlock):
                x = layer(x, emb)
            elif isinstance(layer, SpatialTransformer):
                x = layer(x, context)
            else:
                x = layer(x)
        return x


def timestep_embedding(t, dim):
    freqs = torch.exp(-math.log(10000) * torch.arange(dim // 2) / (dim // 2))
    args = t[:, None].float() * freqs
    return torch.cat([args.cos(), args.sin()], -1)


class UNet(nn.Module):
    def __init__(self, o):
        super().__init__()
        mc, mult, head, ff = o["model_channels"], o["channel_mult"], o["num_head_channels"], o.get("ff_mult", 4)
        context, emb, blocks = o["context_dim"], 4 * mc, o["num_res_blocks"]
        transformer = lambda ch: SpatialTransformer(ch, context, head, ff)
        self.mc = mc
        self.time_embed = nn.Sequential(nn.Linear(mc, emb), nn.SiLU(), nn.Linear(emb, emb))
        self.label_emb = nn.Sequential(nn.Sequential(nn.Linear(o["adm_in_channels"], emb), nn.SiLU(), nn.Linear(emb, emb)))
        self.input_blocks = nn.ModuleList([Stage(nn.Conv2d(o["in_channels"], mc, 3, padding=1))])
        widths, ch, ds = [mc], mc, 1
        for level, m in enumerate(mult):
            for _ in range(blocks):
                layers = [ResBlock(ch, emb, m * mc)]
                ch = m * mc
                if ds in o["attention_resolutions"]:
                    layers.append(transformer(ch))
                self.input_blocks.append(Stage(*layers))
                widths.append(ch)
            if level + 1 < len(mult):
                self.input_blocks.append(Stage(Down(ch)))
                widths.append(ch)
                ds *= 2
        self.middle_block = Stage(ResBlock(ch, emb, ch), transformer(ch), ResBlock(ch, emb, ch))
        self.output_blocks = nn.ModuleList()
        for level, m in reversed(list(enumerate(mult))):
            for i in range(blocks + 1):
                layers = [ResBlock(ch + widths.pop(), emb, m * mc)]
                ch = m * mc
                if ds in o["attention_resolutions"]:
                    layers.append(transformer(ch))
                if level and i == blocks:
                    layers.append(Up(ch))
                    ds //= 2
                self.output_blocks.append(Stage(*layers))
        self.out = nn.Sequential(norm(ch), nn.SiLU(), nn.Conv2d(mc, o["out_channels"], 3, padding=1))

    def forward(self, x, t, context, y):
        emb = self.time_embed(timestep_embedding(t, self.mc)) + self.label_emb(y)
        skips, h = [], x
        for stage in self.input_blocks:
            h = stage(h, emb, context)
            skips.append(h)
        h = self.middle_block(h, emb, context)
        for stage in self.output_blocks:
            h = stage(torch.cat([h, skips.pop()], 1), emb, context)
        return self.out(h)


class TextLayer(nn.Module):
    """One pre-norm layer's norm and body, numbered as x-transformers numbers them."""

    def __init__(self, dim, body):
        super().__init__()
        self.add_module("0", nn.LayerNorm(dim))
        self.add_module("1", body)

    def forward(self, x):
        norm_, body = self.children()
        return x + body(norm_(x))


class TextAttention(Attention):
    def __init__(self, dim, heads, head):
        super().__init__(dim, dim, heads, head)
        self.to_out = self.to_out[0]


class TextFeedForward(nn.Module):
    def __init__(self, dim, mult):
        super().__init__()
        self.net = nn.Sequential(nn.Sequential(nn.Linear(dim, dim * mult), nn.GELU()), nn.Identity(), nn.Linear(dim * mult, dim))

    def forward(self, x):
        return self.net(x)


class Text(nn.Module):
    def __init__(self, o):
        super().__init__()
        dim, mult = o["n_embed"], o.get("ff_mult", 4)
        self.token_emb = nn.Embedding(o["vocab_size"], dim)
        self.pos_emb = nn.Module()
        self.pos_emb.emb = nn.Embedding(o["max_seq_len"], dim)
        self.attn_layers = nn.Module()
        layers = []
        for _ in range(o["n_layer"]):
            layers += [TextLayer(dim, TextAttention(dim, o["heads"], o["dim_head"])), TextLayer(dim, TextFeedForward(dim, mult))]
        self.attn_layers.layers = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(dim)

    def forward(self, tokens):
        h = self.token_emb(tokens) + self.pos_emb.emb.weight[: tokens.shape[1]]
        for layer in self.attn_layers.layers:
            h = layer(h)
        return self.norm(h)


class ResnetBlock(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.norm1, self.conv1 = norm(cin, 1e-6), nn.Conv2d(cin, cout, 3, padding=1)
        self.norm2, self.conv2 = norm(cout, 1e-6), nn.Conv2d(cout, cout, 3, padding=1)
        self.nin_shortcut = nn.Conv2d(cin, cout, 1) if cin != cout else nn.Identity()

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        return self.nin_shortcut(x) + self.conv2(F.silu(self.norm2(h)))


class Autoencoder(nn.Module):
    """patch_size = f (one level, no attention) with the linear shortcut."""

    def __init__(self, o):
        super().__init__()
        d, z = o["ddconfig"], o["embed_dim"]
        assert d["ch_mult"] == [1] and d["attn_type"] == "none" and d["linear_shortcut"]
        self.p, ch, n = d["patch_size"], d["ch"], d["num_res_blocks"]
        patch = 3 * self.p * self.p
        blocks = lambda k: nn.Sequential(*[ResnetBlock(ch, ch) for _ in range(k)])
        end = lambda out: nn.Sequential(norm(ch, 1e-6), nn.SiLU(), nn.Conv2d(ch, out, 3, padding=1))
        self.encoder = nn.Sequential(nn.PixelUnshuffle(self.p), nn.Conv2d(patch, ch, 3, padding=1), blocks(n + 2), end(2 * z))
        self.quant, self.post = nn.Conv2d(2 * z, 2 * z, 1), nn.Conv2d(z, z, 1)
        self.decoder = nn.Sequential(nn.Conv2d(z, ch, 3, padding=1), blocks(n + 3), end(patch), nn.PixelShuffle(self.p))
        self.down, self.up = nn.Conv2d(3, z, self.p, self.p), nn.ConvTranspose2d(z, 3, self.p, self.p)

    def forward(self, x, noise):
        mean, logvar = self.quant(self.encoder(x)).chunk(2, 1)
        mean = mean + self.down(x)
        logvar = logvar.clamp(-30, 20)
        code = mean + (0.5 * logvar).exp() * noise
        return self.decoder(self.post(code)) + self.up(code), mean, logvar


def timed(step, steps, images):
    for _ in range(3):
        step()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return images * steps / (time.perf_counter() - start)


def params_of(path):
    import yaml

    return yaml.safe_load(open(path))


def train_diffusion(config, batch, steps):
    p = config["model"]["params"]
    unet, text = UNet(p["unet_config"]["params"]), Text(p["cond_stage_config"]["params"])
    weights = list(unet.parameters()) + list(text.parameters())
    optimizer = torch.optim.AdamW(weights, lr=1e-4, betas=(0.9, 0.99), fused=True)
    shadow = [w.detach().clone() for w in weights]
    size, z, length = p["image_size"], p["channels"], p["cond_stage_config"]["params"]["max_seq_len"]
    tokens = torch.randint(0, 4000, (batch, length))

    def step():
        x, t = torch.randn(batch, z, size, size), torch.randint(0, 1000, (batch,))
        context = text(tokens)
        loss = F.mse_loss(unet(x, t, context, context.mean(1)), x)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        torch._foreach_lerp_(shadow, [w.detach() for w in weights], 0.001)

    return timed(step, steps, batch)


def sample_diffusion(config, batch, steps):
    """Guided sampling as `ldm generate` does it: text, steps, decoder. Denoising steps of one picture per second."""
    p = config["model"]["params"]
    unet, text = UNet(p["unet_config"]["params"]).eval(), Text(p["cond_stage_config"]["params"]).eval()
    decoder = Autoencoder(params_of("configs/emoji/autoencoder.yaml")["model"]["params"]).eval()
    size, z, length = p["image_size"], p["channels"], p["cond_stage_config"]["params"]["max_seq_len"]

    @torch.inference_mode()
    def run():
        context = text(torch.randint(0, 4000, (2 * batch, length)))
        y, x = context.mean(1), torch.randn(batch, z, size, size)
        for i in range(steps):
            t = torch.full((2 * batch,), 999 - i)
            uncond, cond = unet(torch.cat([x, x]), t, context, y).chunk(2)
            x = x - 0.01 * (uncond + 3.0 * (cond - uncond))
        return decoder.decoder(decoder.post(x)) + decoder.up(x)

    return timed(run, 5, batch * steps)


def train_autoencoder(config, batch, steps):
    p = config["model"]["params"]
    net = Autoencoder(p)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4, betas=(0.9, 0.99), fused=True)
    images, z = torch.rand(batch, 3, 64, 64) * 2 - 1, p["embed_dim"]

    def step():
        y, mean, logvar = net(images, torch.randn(batch, z, 64 // net.p, 64 // net.p))
        kl = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).sum() / batch
        loss = (y - images).abs().mean() + 1e-6 * kl
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()

    return timed(step, steps, batch)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["autoencoder", "diffusion", "sampling"])
    parser.add_argument("--config", help="the run's YAML")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    default = "configs/emoji/autoencoder.yaml" if a.what == "autoencoder" else "configs/emoji/diffusion.yaml"
    run = {"autoencoder": train_autoencoder, "diffusion": train_diffusion, "sampling": sample_diffusion}[a.what]
    print(f"{run(params_of(a.config or default), a.batch, a.steps):.2f}")
