def cost_object(cost, n):
    return {}


def cost_table(cost, n):
    return ""
