class Loihi2HwCfg:
    def __init__(self, callback_fxs):
        self.callback_fxs = callback_fxs
