"""The network of the frames in PyTorch at its original size: an embedding, three bidirectional GRUs, what the last of them
knows at the ends of the window, two dense layers. Used by make_frames.py (double precision) and by the benchmark (single)."""
import torch
import torch.nn.functional as F

V, EMBED, H, HIDDEN, WINDOW = 202, 100, 128, 64, 50


class Net(torch.nn.Module):
    def __init__(self, dropout=0.0):
        super().__init__()
        self.token = torch.nn.Embedding(V, EMBED)
        self.gru = torch.nn.ModuleList(
            torch.nn.GRU(i, H, batch_first=True, bidirectional=True) for i in (EMBED, 2 * H, 2 * H))
        self.dense, self.out, self.dropout = torch.nn.Linear(2 * H, HIDDEN), torch.nn.Linear(HIDDEN, V), dropout

    def forward(self, token):
        x = self.token(token)
        for i, layer in enumerate(self.gru):
            x = layer(x)[0]
            x = F.dropout(x, self.dropout, self.training) if i < 2 else x
        x = torch.cat((x[:, -1, :H], x[:, 0, H:]), 1)
        return self.out(F.leaky_relu(self.dense(x), 0.3))
